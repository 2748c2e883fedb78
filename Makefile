# The two commands of the README are `go run ./cmd/stopover demo` and `make test`.

STATICCHECK := honnef.co/go/tools/cmd/staticcheck@v0.8.2

.PHONY: setup test check bench soak fuzz picture build

build: ## the command, into bin/
	go build -o bin/stopover ./cmd/stopover

setup: ## install the servers that the tests start
	./scripts/setup

test: setup ## all tests, with the race detector, on servers that they start themselves
	go test -race -timeout 20m ./...

check: setup ## format, vet, linters, then all tests
	@test -z "$$(gofmt -l .)" || { gofmt -l .; echo "run gofmt -w on these"; exit 1; }
	go vet ./...
	go run $(STATICCHECK) ./...
	go test -race -timeout 20m ./...
	cd bench && go vet ./...

bench: setup ## the tables of docs/benchmarks.md: ratios, medians of interleaved rounds
	cd bench && go run .

soak: setup ## the races of the fleet, 2,000 rounds on every store
	STOPOVER_SOAK=1 go test -timeout 20m -v -run 'TestNobodyStartsBelowAFloor' .

fuzz: ## every fuzz target for a short while
	./scripts/fuzz

picture: ## docs/demo.svg, from a run of the demo
	./scripts/picture
