# make          build everything
# make test     run every test (T=Name runs one)
# make format   rewrite the code into house style
SWIFT ?= swift
HEADER = plugin-sdk/C/include/coffer_backend.h
CODE   = Package.swift Sources Plugins Tests plugin-sdk
LAYERS = --explicit-target-dependency-import-check error
TEST   = $(LAYERS) --disable-xctest

build:  ; $(SWIFT) build $(LAYERS)
test:   ; $(SWIFT) test $(TEST) $(if $(T),--filter $(T))
format: ; $(SWIFT) format --in-place --recursive --parallel $(CODE)
lint:   ; $(SWIFT) format lint --strict --recursive --parallel $(CODE)
header: ; cc -std=c11 -pedantic -Wall -Wextra -Werror -fsyntax-only -x c $(HEADER)
	c++ -std=c++17 -pedantic -Wall -Wextra -Werror -fsyntax-only -x c++ -include $(HEADER) /dev/null

.PHONY: build test format lint header
.DEFAULT_GOAL := build
