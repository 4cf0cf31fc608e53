# make demo      set up, build, and show the viewer attached to its demo session
# make test      set up, and run every check and test (what .ci/run does)
# make test-servers  the servers of 4.x and 5.x, which it builds first (10 minutes on 2 cores, once)
# make test-programs  Firefox, mpv, Qt, Swing and mutter, which it installs first
# make packages  the packages for Linux, in target/packages
# make lint      the checks alone: format, clippy, layers, documentation
# make fuzz      the fuzz targets under libFuzzer, ten seconds each (tests/fuzz/run.sh has more)
# make book      the user guide, in target/book
#
# Everything here can be run again at no cost; the first run of each installs what it needs.

CACHE := $(or $(FARPANE_CACHE),$(or $(XDG_CACHE_HOME),$(HOME)/.cache)/farpane)
# Where Xpra 6.5.5 is; outside the source tree, so that it outlives a clone.
export FARPANE_XPRA6 ?= $(CACHE)/xpra-6.5.5
# Servers of other generations, for `make test-servers`.
export FARPANE_XPRA4 ?= $(CACHE)/xpra-4.4.6
export FARPANE_XPRA5 ?= $(CACHE)/xpra-5.1.6
# Where mdBook is, which makes the guide.
export FARPANE_MDBOOK ?= $(CACHE)/mdbook

CARGO := cargo --locked
# Two tests more at a time than there are cores, since tests wait for servers and windows as long as they compute
# (tests/it/support/slots.rs has how many of them may be heavy).
TEST_THREADS ?= $(shell expr $$(nproc) + 2)

# Mesa wants one, and says so for every window where there is none.
ifeq ($(XDG_RUNTIME_DIR),)
export XDG_RUNTIME_DIR := $(CURDIR)/target/runtime
$(shell mkdir -p "$(XDG_RUNTIME_DIR)" && chmod 700 "$(XDG_RUNTIME_DIR)")
endif

.PHONY: demo test test-servers test-programs lint fuzz book packages
.PHONY: setup-demo setup-test setup-servers setup-programs setup-packages xpra6 mdbook

demo: setup-demo
	$(CARGO) build
	@packaging/demo.sh

# What is set up is compiled beside the checks: neither keeps all cores busy to its end.
test:
	@packaging/setup.sh test
	+@$(MAKE) --no-print-directory --jobs=2 lint xpra6 mdbook
	tests/run.sh $(CARGO) test --lib --bins --test it -- --test-threads=$(TEST_THREADS)
	packaging/test.sh

test-servers: setup-test setup-servers
	tests/run.sh $(CARGO) test --test it --features test-servers interop::servers:: -- --test-threads=2

test-programs: setup-test setup-programs
	tests/run.sh $(CARGO) test --test it --features test-programs -- --test-threads=1 interop::toolkits:: interop::clipboard::qt_both_ways:: \
	    clipboard::x11_programs::qt

packages: setup-packages
	@binary=$$(packaging/build.sh) && packaging/size.sh "$$binary" && packaging/packages.sh target/packages "$$binary"

lint:
	cargo fmt --check
	$(CARGO) clippy --workspace --all-targets --features test-servers,test-programs -- -D warnings
	$(CARGO) clippy --bins --no-default-features --features viewer,lz4-c -- -D warnings
	$(CARGO) check --lib --no-default-features
	$(CARGO) metadata --format-version 1 --filter-platform x86_64-unknown-linux-gnu \
	    --manifest-path tests/fuzz/Cargo.toml >/dev/null # its lock file is whole
	RUSTDOCFLAGS="-Dwarnings -Arustdoc::private_intra_doc_links" $(CARGO) doc --workspace --no-deps --document-private-items

# Not part of `make test`, which runs the same targets without libFuzzer: the build with counters takes too long.
fuzz: setup-test
	tests/fuzz/run.sh 10

book: mdbook
	@"$(FARPANE_MDBOOK)/bin/mdbook" build docs

setup-demo:
	@packaging/setup.sh demo

setup-programs:
	@packaging/setup.sh programs

setup-packages:
	@packaging/setup.sh packages

setup-test:
	@packaging/setup.sh test
	@$(MAKE) --no-print-directory xpra6 mdbook

xpra6:
	@tests/setup/install-xpra6.sh "$(FARPANE_XPRA6)"

mdbook:
	@tests/setup/install-mdbook.sh "$(FARPANE_MDBOOK)"

setup-servers:
	@packaging/setup.sh test
	@tests/setup/install-xpra-old.sh 4.4.6 "$(FARPANE_XPRA4)"
	@tests/setup/install-xpra-old.sh 5.1.6 "$(FARPANE_XPRA5)"
