{ pkgs ? import <nixpkgs> { } }:
pkgs.callPackage ./package.nix { inherit (pkgs.xorg) libX11 libxcb libXcursor libXi libXrandr; }
