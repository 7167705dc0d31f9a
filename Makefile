# tollgate: the gate and its toll. "make help" lists what can be made.

# Asked for when it is used: deps-* may just have fetched it.
GO      ?= $(shell test/go.sh)
GOFMT    = $(dir $(GO))gofmt
PREFIX  ?= /usr/local
SBINDIR ?= $(PREFIX)/sbin
MANDIR  ?= $(PREFIX)/share/man
ifeq ($(shell uname -s),Linux)
CONFDIR ?= /etc/tollgate
# Where the systemd files go: below SYSTEMD/{systemd/system,sysusers.d}; empty for
# none.
SYSTEMD ?= /usr/lib
else
CONFDIR ?= $(PREFIX)/etc/tollgate
endif
DOCDIR   = $(PREFIX)/share/doc/tollgate
# Of bash, zsh and fish.
COMPLETIONS = $(PREFIX)/share/bash-completion/completions $(PREFIX)/share/zsh/site-functions $(PREFIX)/share/fish/vendor_completions.d
EXAMPLES = contrib/policy.toml contrib/clients.toml contrib/partners.txt
VERSION ?= $(shell git describe --tags --dirty 2>/dev/null)

# By exact version: a check must not change by itself.
STATICCHECK := honnef.co/go/tools/cmd/staticcheck@v0.8.2
TARGETS     := linux/amd64 linux/arm64 freebsd/amd64 freebsd/arm64
# A commit to upgrade from: the last before there was a package.
BEFORE      := 1a7d1df
MANPAGES    := $(wildcard docs/man/*.[58])
FUZZTIME    ?= 30s

# test/go.sh is who finds the right Go; no Go looks for another one by itself.
export GOTOOLCHAIN := local
# As what is shipped, so that checks, tests, demo and packages share what was
# compiled: from nothing, each other way to compile costs minutes. The race detector
# alone wants cgo.
export CGO_ENABLED := 0
export GOFLAGS := $(strip $(filter-out -trimpath,$(GOFLAGS)) -trimpath)

.DEFAULT_GOAL := help
.PHONY: help build demo check test test-packages opnsense-core screenshots deps-build deps-demo deps-test deps-packages format vet staticcheck tidy unit cross manpages go-test \
	deb-test hostile bare bench bench-account profile compare simulate fuzz fuzz-some install install-files deb release clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

build: deps-build ## bin/tollgate
	$(GO) build -ldflags '-s -w -X main.version=$(VERSION)' -o bin/tollgate ./cmd/tollgate

demo: deps-demo ## a throw-away Postfix with tollgate in front of it, mail through it, what happened (needs root)
	@echo "building the demo (a minute, the first time)"
	@PATH="$(dir $(GO)):$$PATH" $(GO) run ./test/demo

check: deps-build format vet staticcheck tidy unit ## before a commit, in two minutes: no root, no daemons

test: deps-test format vet staticcheck tidy cross manpages go-test fuzz-some deb-test ## everything that CI checks (needs root)

test-packages: deps-packages ## the package on Debian 13 and an upgrade of an old one; OPNsense's pages in a browser; tests linked for FreeBSD (needs root)
	GO=$(GO) test/packages.sh --from $(BEFORE) trixie
	PATH="$(dir $(GO)):$$PATH" TOLLGATE_CHROMEDRIVER=chromedriver $(GO) test -count=1 -timeout 10m -run 'TestOPNsensePages' ./test
	GOOS=freebsd $(GO) test -vet=off -run '^$$' -exec true ./...

opnsense-core: deps-test ## templates, migrations and imports under OPNsense's own classes; OPNSENSE_CORE and OPNSENSE_PLUGINS are checkouts
	PATH="$(dir $(GO)):$$PATH" OPNSENSE_CORE="$(abspath $(OPNSENSE_CORE))" OPNSENSE_PLUGINS="$(abspath $(OPNSENSE_PLUGINS))" \
		$(GO) test -count=1 -v -tags opnsense_core -run 'TestOPNsenseCore' ./test

screenshots: deps-packages ## docs/images: the pages of the OPNsense plugin, beside a stand-in that has not its looks
	mkdir -p docs/images
	PATH="$(dir $(GO)):$$PATH" TOLLGATE_CHROMEDRIVER=chromedriver TOLLGATE_SCREENSHOTS=$(CURDIR)/docs/images \
		$(GO) test -count=1 -run 'TestOPNsenseScreenshots' ./test

deps-build deps-demo deps-test deps-packages: deps-%:
	@test/deps.sh $*

format: ## gofmt has nothing to say
	@bad=$$($(GOFMT) -l .); [ -z "$$bad" ] || { echo "gofmt would change: $$bad" >&2; exit 1; }

vet: ## go vet, for every operating system
	$(GO) vet ./...
	GOOS=freebsd $(GO) vet ./...

staticcheck: ## staticcheck, one exact version
	$(GO) run $(STATICCHECK) ./...

tidy: ## go.mod and go.sum name what is used, and nothing else
	$(GO) mod tidy -diff

unit: ## the tests of packages that need neither root nor a daemon
	$(GO) test -vet=off -timeout 5m $$($(GO) list -f '{{.ImportPath}} {{.TestImports}} {{.XTestImports}}' ./... \
		| grep -v -e ' .*/test/harness' -e '^[^ ]*/redis ' | cut -d ' ' -f 1)

cross: ## builds for every operating system and processor that is supported
	@set -e; for t in $(TARGETS); do \
		echo "build $$t"; GOOS=$${t%/*} GOARCH=$${t#*/} $(GO) build -o /dev/null ./cmd/tollgate; done

manpages: ## mandoc has nothing to say
	mandoc -T lint -W warning $(MANPAGES)

go-test: ## all Go tests, end to end too
	@# The end-to-end tests first: they wait for others most of the time, and the rest runs beside them.
	CGO_ENABLED=1 $(GO) test -vet=off -race -shuffle=on -timeout 20m ./test ./...
	$(GO) test -vet=off -count=1 -timeout 20m -run 'TestSeeds' ./internal/simulate

deb-test: ## the package on Debian 12, booted in a container: install, attach, upgrade, remove, purge
	GO=$(GO) test/packages.sh bookworm

hostile: deps-test ## the hostile milter streams alone, each with its result
	$(GO) test -count=1 -timeout 20m -run TestHostile -v ./test

bare: ## a bare Debian 12 by the lines of README.md, to the first judged message (needs root and network); SUITE=trixie
	test/bareroot.sh $(or $(SUITE),bookworm)

bench: ## the Go benchmarks
	$(GO) test -run '^$$' -bench . -benchmem ./...

bench-account: deps-test ## what the account costs, as ratios of one run: prices, drains, 100,000 clients, a backlog; ACCOUNT="-rounds 15 -backlog 10000000"
	@PATH="$(dir $(GO)):$$PATH" $(GO) run ./test/account $(ACCOUNT)

profile: ## what a message costs, by cause; PROFILE="-n 60000 -c 64 -dir /var/tmp"
	@PATH="$(dir $(GO)):$$PATH" $(GO) run ./test/profile $(PROFILE)

compare: deps-test ## everything on, beside rspamd as its package sets it up: CPU, latency, memory; COMPARE="-n 4000 -rounds 9" (needs root)
	@PATH="$(dir $(GO)):$$PATH" $(GO) run ./test/compare $(COMPARE)

simulate: ## SEEDS=N runs of the simulator (docs/HACKING.md); a seed that fails is printed
	SIMULATE_SEEDS=$(or $(SEEDS),100000) $(GO) test -count=1 -timeout 24h -v -run 'TestSeeds' ./internal/simulate

fuzz: ## every fuzz target for FUZZTIME (30s; 300x for so many executions)
	@GO=$(GO) test/fuzz.sh $(FUZZTIME)

# By one seed, so that what one run has found another finds: what chance finds was
# there before the change that it would stop.
fuzz-some: ## every fuzz target for 300 executions, from its seeds; SEED=N makes others
	@GODEBUG=fuzzseed=$(or $(SEED),1) GO=$(GO) test/fuzz.sh 300x

install: build ## binary, manual, completions, documents, systemd unit and user, a policy to begin with; PREFIX, DESTDIR
	@$(MAKE) --no-print-directory install-files

# What BINARY is, and who prints the completions.
BINARY ?= bin/tollgate
SELF   ?= $(BINARY)
install-files:
	install -d $(addprefix $(DESTDIR),$(SBINDIR) $(MANDIR)/man5 $(MANDIR)/man8 $(CONFDIR) $(DOCDIR)/postfix $(DOCDIR)/metrics $(DOCDIR)/ru $(COMPLETIONS))
	install -m 755 $(BINARY) $(DESTDIR)$(SBINDIR)/tollgate
	install -m 644 docs/man/*.5 $(DESTDIR)$(MANDIR)/man5
	install -m 644 docs/man/*.8 $(DESTDIR)$(MANDIR)/man8
	install -m 644 README.md CHANGELOG.md LICENSE docs/*.md $(EXAMPLES) $(DESTDIR)$(DOCDIR)
	install -m 644 docs/ru/*.md $(DESTDIR)$(DOCDIR)/ru
	install -m 644 contrib/postfix/* $(DESTDIR)$(DOCDIR)/postfix
	install -m 644 contrib/metrics/* $(DESTDIR)$(DOCDIR)/metrics
	$(SELF) completion bash > $(DESTDIR)$(word 1,$(COMPLETIONS))/tollgate
	$(SELF) completion zsh > $(DESTDIR)$(word 2,$(COMPLETIONS))/_tollgate
	$(SELF) completion fish > $(DESTDIR)$(word 3,$(COMPLETIONS))/tollgate.fish
ifneq ($(SYSTEMD),)
	install -d $(DESTDIR)$(SYSTEMD)/systemd/system $(DESTDIR)$(SYSTEMD)/sysusers.d $(DESTDIR)/etc/logrotate.d
	sed 's#/usr/local/sbin#$(SBINDIR)#' contrib/systemd/tollgate.service > $(DESTDIR)$(SYSTEMD)/systemd/system/tollgate.service
	sed 's#/usr/local/sbin#$(SBINDIR)#' contrib/systemd/tollgate-maillog.service > $(DESTDIR)$(SYSTEMD)/systemd/system/tollgate-maillog.service
	install -m 644 contrib/systemd/tollgate.sysusers $(DESTDIR)$(SYSTEMD)/sysusers.d/tollgate.conf
	install -m 644 contrib/systemd/logrotate.conf $(DESTDIR)/etc/logrotate.d/tollgate
	[ -n "$(DESTDIR)" ] || ! command -v systemd-sysusers >/dev/null || systemd-sysusers tollgate.conf
endif
	[ -e $(DESTDIR)$(CONFDIR)/policy.toml ] || install -m 640 contrib/starter.toml $(DESTDIR)$(CONFDIR)/policy.toml
	[ -n "$(DESTDIR)" ] || ! getent group tollgate >/dev/null || chgrp tollgate $(CONFDIR)/policy.toml

deb: deps-build ## dist/tollgate_VERSION_ARCH.deb; ARCH=arm64 for the other processor
	@GO=$(GO) contrib/debian/build.sh dist

release: deps-build ## dist: archives for every system, Debian packages, bill of materials, checksums; govulncheck must be content
	@go=$$(test/go.sh release) && GO=$$go contrib/release.sh

clean: ## what was built
	rm -rf bin dist
