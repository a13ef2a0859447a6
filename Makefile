# make run          set up, build, and start a host with local storage in ./run
# make test         set up, then prove everything that continuous integration proves
# make test-full    the same at full scale, and the sanitizers on everything
# make test-documentdb  the backend gridfs over the real DocumentDB engine (root; a chroot of Debian sid in .build)
# make bench        measure against the floors and the peers
# make install      PREFIX=/usr/local
# make wheel        the Python client as a wheel in .build/wheel
# make              build only            make format   rewrite the code into house style
# make tests T=Name run the tests whose names match       make docs     write docs/profiles.md anew
#
# A Debian machine with python3-swiftclient has another program called swift in its PATH: then say SWIFT=/path/to/swift.
SWIFT  ?= swift
PREFIX ?= /usr/local
HEADER  = plugin-sdk/C/include/coffer_backend.h
CLIENT  = Sources/libcoffer/include/coffer.h
CODE    = Package.swift Sources Plugins Tests plugin-sdk examples/swift
LAYERS  = --explicit-target-dependency-import-check error
# XCTest leaks under the address sanitizer, and nothing here uses it.
TEST    = $(LAYERS) --disable-xctest
# Where an installed program, and an installed plugin, find the Swift runtime that was installed with them.
RELEASE = -c release $(LAYERS) -Xlinker -rpath='$$ORIGIN/../lib/coffer' -Xlinker -rpath='$$ORIGIN/..'
BUILT   = .build/release
# Each lane says how long it took.
LANE    = @Scripts/lane

build:
	$(SWIFT) build $(LAYERS)
	$(SWIFT) build $(LAYERS) --product coffer-plugin-check
	@Scripts/manifests .build/debug

release:
	$(SWIFT) build $(RELEASE)
	$(SWIFT) build $(RELEASE) --product coffer-plugin-check
	@Scripts/manifests $(BUILT)
	@Scripts/libcoffer $(BUILT)

run:
	@Scripts/setup run
	@$(MAKE) --no-print-directory release
	@Scripts/run $(BUILT)

test:
	@Scripts/setup test
	$(LANE) lint   $(MAKE) --no-print-directory lint
	$(LANE) header $(MAKE) --no-print-directory header
	$(LANE) debug  $(SWIFT) build $(LAYERS) --build-tests
	$(LANE) tests  $(SWIFT) test $(TEST) --skip-build
	$(LANE) release $(MAKE) --no-print-directory release
	$(LANE) install Tests/Install/run $(BUILT)
	$(LANE) run    Tests/Run/run $(BUILT)
	$(LANE) docs   Tests/Docs/run $(BUILT)
	$(LANE) examples Tests/Examples/run $(BUILT)
	$(LANE) contract Tests/Contract/run $(BUILT)
	$(LANE) clients Tests/Clients/run $(BUILT)
	$(LANE) backends Tests/Backends/run $(BUILT)
	$(LANE) fuzz   Tests/Fuzz/run 20
	$(LANE) address $(SWIFT) test $(TEST) $(ADDRESS) --filter '$(CORE)'
	$(LANE) thread $(SWIFT) test $(TEST) $(THREAD) --filter '$(CORE)'
	@Scripts/lane --summary

# What the sanitizers watch in continuous integration: the rooms with threads and pointers.
CORE = CofferSystemTests|CofferHTTPTests|CofferPluginHostTests|CofferServiceTests
ADDRESS = --sanitize=address --scratch-path .build/asan
# A plugin in Swift takes these from the program that loads it, where the linker shows only what C programs need.
THREAD  = --sanitize=thread --scratch-path .build/tsan \
	$(foreach symbol,external_read external_write ignore_thread_begin ignore_thread_end,\
	-Xlinker --export-dynamic-symbol=__tsan_$(symbol))

test-full:
	@Scripts/setup test
	$(LANE) lint   $(MAKE) --no-print-directory lint
	$(LANE) header $(MAKE) --no-print-directory header
	$(LANE) debug  $(SWIFT) build $(LAYERS) --build-tests
	$(LANE) tests  env COFFER_SCALE=full $(SWIFT) test $(TEST) --skip-build
	$(LANE) release $(MAKE) --no-print-directory release
	$(LANE) install Tests/Install/run $(BUILT)
	$(LANE) run    Tests/Run/run $(BUILT)
	$(LANE) docs   Tests/Docs/run $(BUILT)
	$(LANE) examples Tests/Examples/run $(BUILT)
	$(LANE) contract Tests/Contract/run $(BUILT)
	$(LANE) clients Tests/Clients/run $(BUILT)
	$(LANE) backends env COFFER_SCALE=full Tests/Backends/run $(BUILT)
	$(LANE) fuzz   Tests/Fuzz/run 600
	$(LANE) address $(SWIFT) test $(TEST) $(ADDRESS)
	$(LANE) thread $(SWIFT) test $(TEST) $(THREAD)
	@Scripts/lane --summary

test-documentdb:
	@Scripts/setup test
	$(LANE) release $(MAKE) --no-print-directory release
	$(LANE) documentdb Tests/Backends/gridfs/run $(BUILT) documentdb
	@Scripts/lane --summary

tests:  ; $(SWIFT) test $(TEST) $(if $(T),--filter '$(T)')
format: ; $(SWIFT) format --in-place --recursive --parallel $(CODE)
lint:   ; $(SWIFT) format lint --strict --recursive --parallel $(CODE)
header:
	cc -std=c11 -pedantic -Wall -Wextra -Werror -fsyntax-only -x c $(HEADER)
	c++ -std=c++17 -pedantic -Wall -Wextra -Werror -fsyntax-only -x c++ -include $(HEADER) /dev/null
	cc -std=c11 -pedantic -Wall -Wextra -Werror -fsyntax-only -x c $(CLIENT)
	c++ -std=c++17 -pedantic -Wall -Wextra -Werror -fsyntax-only -x c++ -include $(CLIENT) /dev/null

bench:
	@Scripts/setup bench
	@$(MAKE) --no-print-directory release
	@Scripts/bench $(BUILT)

install: release
	@Scripts/install $(BUILT) $(PREFIX)

# The Python client, as one file for pip: pure Python, nothing is fetched to build it.
wheel:
	@python3 Sources/python/wheel_backend.py .build/wheel

docs: release
	@$(BUILT)/cofferd --profile-reference >docs/profiles.md

clean: ; rm -rf .build run

.PHONY: build release run test test-documentdb test-full tests format lint header bench install wheel docs clean
.DEFAULT_GOAL := build
