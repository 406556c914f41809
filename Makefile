# Cursus. `make help` lists what can be made.
export CGO_ENABLED := 0
export GOFLAGS := -buildvcs=false
GO ?= go


.PHONY: help run deps build build-cursus generate test bench lint fuzz ci clean
help: ## Show this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

deps: ## Find PostgreSQL and the PDF and browser tools, or install them, or say how
	@sh .ci/deps

build: ## Compile everything
	$(GO) build ./...

build-cursus: ## Make build/cursus
	@sh .ci/deps server
	$(GO) build -trimpath -o build/cursus ./cmd/cursus

run: build-cursus ## Set everything up, make the demonstration where there is none, and serve it (CURSUS_ADDR, CURSUS_DATA_DIR)
	build/cursus serve --demo

generate: ## Write what is made from the contract and the code: api/, docs/settings.md, docs/states.md, docs/export.md (tests fail when they are stale)
	cp openapi.yaml api/contract/openapi.yaml
	$(GO) tool oapi-codegen -config api/models.yaml -o api/api.gen.go openapi.yaml
	$(GO) tool oapi-codegen -config api/server/server.yaml -o api/server/server.gen.go openapi.yaml
	$(GO) test -count=1 ./internal/platform/config -update
	$(GO) test -count=1 -run StatesPage ./internal/app -update
	$(GO) test -count=1 -run Dictionary ./internal/domain/export -update

test: deps ## Run every test (a clone of a real PostgreSQL database per test), a package at a time: browsers want the machine
	$(GO) test -count=1 -p 1 -timeout 40m ./...

bench: deps ## Measure: a catalogue of 2,000 courses beside bare Fiber, purchases beside pgbench, webhooks told three times, gapless numbering beside none, imports beside a raw COPY and (MOOCPILOT_TOOLS) beside the MOOCpilot tools, indicators at a million enrolments, verification beside bare Fiber, paths through 40 courses, a roster of 100,000 rows, certificates beside WeasyPrint, signed ones
	$(GO) test -run '^$$' -bench . -benchtime 1x ./internal/app
	$(GO) test -run '^$$' -bench . -benchtime 1x ./internal/domain/uploads
	$(GO) test -run '^$$' -bench . -benchtime 2s -cpu 1 -v ./internal/gateways/pdf ./internal/gateways/pades

fuzz: ## Feed broken tables and files of grades, statements, answers, posts, exam results, rosters and catalogues to their readers, a minute each
	$(GO) test -run '^$$' -fuzz FuzzOpen -fuzztime 60s -fuzzminimizetime 2s ./internal/kernel/sheet
	$(GO) test -run '^$$' -fuzz FuzzIntakes -fuzztime 60s -fuzzminimizetime 2s ./internal/domain/gradebook
	$(GO) test -run '^$$' -fuzz FuzzSurvey -fuzztime 60s -fuzzminimizetime 2s ./internal/domain/surveys
	$(GO) test -run '^$$' -fuzz FuzzForum -fuzztime 60s -fuzzminimizetime 2s ./internal/domain/surveys
	$(GO) test -run '^$$' -fuzz FuzzRead -fuzztime 60s -fuzzminimizetime 2s ./internal/domain/exchange
	$(GO) test -run '^$$' -fuzz FuzzRead -fuzztime 60s -fuzzminimizetime 2s ./internal/domain/cohorts/roster
	$(GO) test -run '^$$' -fuzz FuzzResults -fuzztime 60s -fuzzminimizetime 2s ./internal/domain/exams

LINTER := .cache/bin/golangci-lint-2.15.0
$(LINTER):
	@mkdir -p .cache/bin && echo 'lint: building golangci-lint (once)'
	@GOBIN=$(CURDIR)/.cache/bin GOFLAGS=-mod=mod $(GO) install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0 2>.cache/lint.log || { cat .cache/lint.log; exit 1; }
	@mv .cache/bin/golangci-lint $@

lint: $(LINTER) ## go vet, gofmt and golangci-lint
	$(GO) vet ./...
	@test -z "$$(gofmt -l $$(git ls-files '*.go'))" || { gofmt -l $$(git ls-files '*.go'); echo 'gofmt: the files above are not formatted'; exit 1; }
	$(LINTER) run --timeout 10m ./...

ci: ## What CI runs
	bash .ci/run

clean: ## Remove what was built
	rm -rf build .cache
