# Everything a contributor types. Needs Go, make and git; tools are built from pinned modules into bin/tools.

PKG      := github.com/kgateway-dev/kubectl-kgw-doctor
VERSION  ?= $(shell git describe --tags --match 'v*' --dirty 2>/dev/null || echo "v0.0.0-$$(git rev-parse --short HEAD 2>/dev/null || echo unknown)")
LDFLAGS  := -s -w -X $(PKG)/pkg/cmd.version=$(VERSION)
PLUGIN   := bin/kubectl-kgw_doctor
TESTFLAGS ?=
FUZZTIME ?= 10s
BENCH    ?= .
MIN      ?= 0
SHARED   ?= ../shared

.DEFAULT_GOAL := help

.PHONY: help
help: ## show this list
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / {printf "  %-12s %s\n", $$1, $$2}' Makefile

.PHONY: build
build: ## build bin/kubectl-kgw_doctor, the file name that answers to `kubectl kgw-doctor`
	CGO_ENABLED=0 go build -trimpath -ldflags '$(LDFLAGS)' -o $(PLUGIN) ./cmd/kubectl-kgw-doctor

.PHONY: test
test: ## run the unit tests of everything; needs no cluster and no network
	go test $(TESTFLAGS) ./...

.PHONY: e2e
e2e: ## run the plugin against a real API server with real controllers, built from Go modules
	@test/controlplane/build.sh >/dev/null # a cold build takes minutes: not on the clock of the tests
	@test/controlplane/helm4/build.sh >/dev/null
	go test -tags e2e -count=1 -timeout 25m $(TESTFLAGS) ./test/e2e/...

.PHONY: demo
demo: ## start a control plane, install kgateway with a value that does nothing, and let the doctor find it
	bash test/demo/demo.sh

.PHONY: lint
lint: bin/tools/golangci-lint ## run the linters of .ci/golangci.yaml
	bin/tools/golangci-lint run --config .ci/golangci.yaml ./...

.PHONY: fmt
fmt: ## format the Go files of the repository
	gofmt -w $$(git ls-files --cached --others --exclude-standard '*.go')

.PHONY: verify
verify: ## what a commit must keep: tidy modules, format, vet, current docs and golden files
	bash .ci/run verify

.PHONY: golden
golden: ## write the golden files anew; read `git diff` before committing
	UPDATE_GOLDEN=1 go test ./...

.PHONY: docs
docs: ## write docs/checks/*.md from the checks
	UPDATE_DOCS=1 go test ./pkg/analysis/checks -run TestDocs -count=1

.PHONY: bench
bench: ## run the benchmarks (BENCH=regexp)
	go test -run '^$$' -bench '$(BENCH)' -benchmem ./...

.PHONY: fuzz
fuzz: ## run every fuzz target for FUZZTIME
	bash .ci/fuzz $(FUZZTIME)

.PHONY: score
score: build ## measure the plugin on labelled cases, where $(SHARED) lies beside the checkout (MIN=percent)
	bash .ci/score "$(abspath $(PLUGIN))" "$(SHARED)" $(MIN)

.PHONY: krew
krew: bin/tools/krew ## install an archive of the plugin with real krew, offline, and run it
	KREW="$(abspath bin/tools/krew)" VALIDATE_KREW_MANIFEST="$(abspath bin/tools/validate-krew-manifest)" \
		go test -count=1 $(TESTFLAGS) ./test/packaging/...

.PHONY: dist
dist: bin/tools/goreleaser ## build the archives of all platforms into dist/, as a release would
	bin/tools/goreleaser release --snapshot --clean --skip=sign$(if $(shell command -v syft),,$(comma)sbom)
	bash .ci/krew-sums dist/checksums.txt < krew-manifest.yaml > dist/kgw-doctor.yaml

.PHONY: clean
clean: ## remove bin and dist
	rm -rf bin dist

comma := ,

bin/tools/golangci-lint: .ci/tools.mod
	CGO_ENABLED=0 go build -modfile=.ci/tools.mod -o $@ github.com/golangci/golangci-lint/v2/cmd/golangci-lint

bin/tools/goreleaser: .ci/goreleaser.mod
	CGO_ENABLED=0 go build -modfile=.ci/goreleaser.mod -o $@ github.com/goreleaser/goreleaser/v2

bin/tools/krew: test/packaging/krew/go.mod
	CGO_ENABLED=0 go -C test/packaging/krew build -o $(abspath bin/tools)/ sigs.k8s.io/krew/cmd/krew sigs.k8s.io/krew/cmd/validate-krew-manifest
