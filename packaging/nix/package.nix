# Nix. `nix-build packaging/nix` makes it; flake.nix beside it gives the same. Never run: see packaging/README.md.
{ lib, rustPlatform, cmake, nasm, python3, makeWrapper, libX11, libxcb, libXcursor, libXi, libXrandr, libxkbcommon
, wayland, vulkan-loader, libGL }:

let
  root = ../..;
  manifest = (lib.importTOML (root + "/Cargo.toml")).package;
  # Loaded when the program starts.
  libraries = [ libX11 libxcb libXcursor libXi libXrandr libxkbcommon wayland vulkan-loader libGL ];
in
rustPlatform.buildRustPackage {
  pname = manifest.name;
  inherit (manifest) version;
  src = lib.cleanSourceWith {
    src = root;
    filter = path: type: !(type == "directory" && baseNameOf path == "target");
  };
  cargoLock.lockFile = root + "/Cargo.lock";
  buildPhase = ''
    runHook preBuild
    patchShebangs packaging
    packaging/build.sh
    runHook postBuild
  '';
  nativeBuildInputs = [ cmake nasm python3 makeWrapper ];
  dontUseCmakeConfigure = true;
  # The tests need displays and Xpra servers: make test.
  doCheck = false;

  installPhase = ''
    runHook preInstall
    packaging/stage.sh stage
    mkdir -p $out
    cp -r stage/usr/. $out/
    wrapProgram $out/bin/farpane --prefix LD_LIBRARY_PATH : ${lib.makeLibraryPath libraries}
    runHook postInstall
  '';

  meta = {
    inherit (manifest) description;
    license = with lib.licenses; [ mit asl20 ];
    platforms = lib.platforms.linux;
    mainProgram = "farpane";
  };
}
