# Everything one needs to try Quorum on one machine. Logic is in sandbox/; this only names it.
# Prerequisites: Debian 12 or newer, root, Node 20 or newer, Go 1.25 or newer, make.
# QUORUM_CACHE and QUORUM_STATE say where things are kept; QUORUM_KUBECONFIG names a cluster of your
# own, which is then used in place of the sandbox.

SHELL := /bin/bash
.DEFAULT_GOAL := help

# Given on make's own command line or by the environment.
export QUORUM_CACHE QUORUM_STATE QUORUM_KUBECONFIG

PACKAGES := node_modules/.package-lock.json
SANDBOX := node --import tsx sandbox/cli.ts
NAMES := $(if $(ENGINE),$(ENGINE)) $(if $(IMAGE),$(IMAGE)) $(if $(ADDON),$(ADDON))

.PHONY: help up sandbox status down stop clean kubeconfig pulumi sql zone-down zone-up tools images test bench

help: ## Print this
	@echo 'make up              a local Kubernetes with three zones, and a database on it'
	@echo '  ENGINE=postgresql  which database; IMAGE=localhost/mysql:9.7-r1 which image of it; ADDON=kine'
	@echo '  PLATFORM=gke       on a stand-in of Google Cloud: the program makes cluster, machines and disks, too'
	@echo 'make sql             a client of the database'
	@echo 'make status          what runs'
	@echo 'make pulumi ARGS=... the Pulumi CLI on the stack, for example ARGS="config set quorum:replicas 5"'
	@echo 'make zone-down ZONE=b, make zone-up ZONE=b   cut a zone'\''s power, and give it back'
	@echo 'make down            destroy the database; the sandbox stays'
	@echo 'make stop            stop the sandbox; its disks go with it'
	@echo 'make clean           stop, and remove everything but the cache of what was built'
	@echo
	@echo 'make sandbox         the sandbox without a database; ENGINE=..., IMAGE=... brings images, PLATFORM=gke'
	@echo '  CLUSTERS=3         three Kubernetes side by side, of one zone each'
	@echo 'make tools, images   build ahead what `make up` would build (tools: 15 to 20 min once)'
	@echo 'make kubeconfig      the path to give to KUBECONFIG'
	@echo 'make test, bench     tests, measurements'

# npm ci when the lockfile is newer than what is installed.
$(PACKAGES): package-lock.json
	npm ci --no-audit --no-fund
	@touch $@

up: $(PACKAGES)
	@$(SANDBOX) up --engine='$(ENGINE)' --image='$(IMAGE)' --addon='$(ADDON)' --platform='$(PLATFORM)'

sandbox: $(PACKAGES)
	@$(SANDBOX) sandbox --platform='$(PLATFORM)' --clusters='$(CLUSTERS)' $(NAMES)

status down stop clean kubeconfig sql tools: $(PACKAGES)
	@$(SANDBOX) $@

images: $(PACKAGES)
	@$(SANDBOX) images $(NAMES)

pulumi: $(PACKAGES)
	@$(SANDBOX) pulumi -- $(ARGS)

zone-down zone-up: $(PACKAGES)
	@$(SANDBOX) $@ '$(ZONE)'

test: $(PACKAGES)
	node --import tsx test/run.ts $(ARGS)

bench: $(PACKAGES)
	node --import tsx bench/main.ts $(ARGS)
