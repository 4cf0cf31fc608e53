{
  description = "Farpane, a fast native viewer for Xpra sessions";
  inputs.nixpkgs.url = "github:NixOS/nixpkgs/nixos-unstable";
  # nix build 'git+file:.?dir=packaging/nix', in a checkout.
  outputs = { self, nixpkgs }:
    let
      systems = [ "x86_64-linux" "aarch64-linux" ];
      each = make: nixpkgs.lib.genAttrs systems (system: make nixpkgs.legacyPackages.${system});
    in
    {
      packages = each (pkgs: rec {
        farpane = import ./default.nix { inherit pkgs; };
        default = farpane;
      });
    };
}
