# loyalty: a loyalty program inside PostgreSQL. `make help` lists what can be made.
#
# Built with PGXS; PG_CONFIG=/path/to/pg_config chooses another server version. The targets that need no server, and
# those that first install what is missing, work before PostgreSQL is there.

EXTENSION  := loyalty
# Where the sources are: here, or where VPATH says (`make -f ../loyalty/Makefile VPATH=../loyalty` builds elsewhere).
SOURCE     := $(or $(VPATH),.)
# $(call sources,PATTERN...): the files that match, named from there.
sources     = $(patsubst $(SOURCE)/%,%,$(sort $(wildcard $(addprefix $(SOURCE)/,$(1)))))
# Never a variable called VERSION: PGXS sets it to the server's.
EXTVERSION := $(shell sed -n "s/^default_version *= *'\(.*\)'/\1/p" $(SOURCE)/$(EXTENSION).control)
PG_CONFIG  ?= pg_config
export PG_CONFIG

.DEFAULT_GOAL := all

# --- The library ------------------------------------------------------------------------------------------------------

CORE_SOURCES := $(call sources,src/core/*/*.cc src/codec/*.cc)
PG_SOURCES   := $(call sources,src/pg/*/*.cc)

MODULE_big    := $(EXTENSION)
OBJS          := $(patsubst %.cc,%.o,$(CORE_SOURCES) $(PG_SOURCES))
SHLIB_LINK    := -lstdc++
SHLIB_EXPORTS := src/exports.txt

# Boost as tools/packages unpacks it, where the system's Boost is another version.
BOOST    := $(addprefix -isystem $(SOURCE)/,$(call sources,build/boost/usr/include))
WARNINGS := -Wall -Wextra -Wno-unused-parameter $(if $(filter 1,$(WERROR)),-Werror)

# -isystem keeps the warnings of PostgreSQL's own headers out of ours. Debian builds PostgreSQL without dependency
# tracking, hence -MMD -MP.
PG_CPPFLAGS := -I$(patsubst ./%,%,$(SOURCE)/src) $(BOOST) -isystem $(shell $(PG_CONFIG) --includedir-server 2>/dev/null)
PG_CXXFLAGS := -std=c++20 -O2 $(WARNINGS) -MMD -MP

# LLVM bitcode would let the server inline small C functions; nothing here is that small, and PGXS has no rule for .cc.
override with_llvm = no

# --- The SQL ----------------------------------------------------------------------------------------------------------

SQL_MODULES := $(call sources,sql/[0-9][0-9]-*.sql)
SQL_SCRIPT  := sql/$(EXTENSION)--$(EXTVERSION).sql
# From each released version to this one, in one step: sql/updates/RELEASED.sql says what went.
UPDATE_SCRIPTS := $(patsubst sql/updates/%.sql,sql/$(EXTENSION)--%--$(EXTVERSION).sql,$(call sources,sql/updates/*.sql))
DATA_built  := $(SQL_SCRIPT) $(UPDATE_SCRIPTS)

# --- Tests through PGXS -----------------------------------------------------------------------------------------------

REGRESS        := $(patsubst test/sql/%.sql,%,$(sort $(wildcard test/sql/*.sql)))
REGRESS_OPTS   := --inputdir=test --load-extension=$(EXTENSION)
ISOLATION      := $(patsubst test/specs/%.spec,%,$(sort $(wildcard test/specs/*.spec)))
ISOLATION_OPTS := --inputdir=test --load-extension=$(EXTENSION)
PROVE_TESTS    := $(sort $(wildcard test/t/*.pl))
# := is needed: `ifdef` in PGXS looks at the unexpanded text.
TAP_TESTS      := $(if $(PROVE_TESTS),$(shell perl -MIPC::Run -e 'print 1' 2>/dev/null))

# The library is installed without its debug symbols, which are twenty times its size; `make install-debug` installs them.
INSTALL_STRIP_FLAG ?= -s

EXTRA_CLEAN := $(wildcard src/*/*.o src/*/*.d src/*/*/*.o src/*/*/*.d) src/exports.list build output_iso tmp_check

PGXS := $(shell $(PG_CONFIG) --pgxs 2>/dev/null)
ifneq ($(wildcard $(PGXS)),)
include $(PGXS)
-include $(OBJS:.o=.d)
else
.PHONY: all install installcheck clean
all install installcheck:
	@echo "$(PG_CONFIG) does not work here: run 'make packages', or set PG_CONFIG=/path/to/pg_config" >&2; exit 1
clean:
	rm -rf $(EXTRA_CLEAN) $(EXTENSION).so results regression.diffs regression.out
endif

# Joined anew each time and replaced when different: so a module that was deleted is noticed as well as an edited one.
define join_sql
@cd $(SOURCE) && tools/join-sql $(1) $(SQL_MODULES) >$(CURDIR)/$@.new || { rm -f $(CURDIR)/$@.new; exit 1; }
@if cmp -s $@.new $@; then rm $@.new; else mv $@.new $@; fi
endef

$(SQL_SCRIPT): FORCE
	$(call join_sql)

$(UPDATE_SCRIPTS): sql/$(EXTENSION)--%--$(EXTVERSION).sql: FORCE
	$(call join_sql,--update $*)

# record: a recipe that writes a text to the target, and leaves the file and its time alone where that is what it says.
define record
@mkdir -p $(@D)
@[ "$$(cat $@ 2>/dev/null)" = "$(strip $(1))" ] || echo "$(strip $(1))" >$@
endef

# Objects compiled against another server version, or without -Werror, are out of date although no source has changed.
build/settings: FORCE
	$(call record,$(shell $(PG_CONFIG) --version) $(WARNINGS))
$(OBJS): build/settings

# Folders of products, for a build elsewhere; as prerequisites they would be found among the sources.
$(if $(VPATH),$(shell mkdir -p $(sort $(dir $(OBJS) $(SHLIB_EXPORTS) $(SQL_SCRIPT)))))

# So is a library that holds an object whose source is gone.
build/objects: FORCE
	$(call record,$(OBJS))
$(EXTENSION).so: build/objects

.PHONY: FORCE
FORCE:

# --- Debug symbols, as a file of their own that debuggers find by the library's build id ------------------------------

$(EXTENSION).so.debug: $(EXTENSION).so
	objcopy --only-keep-debug $< $@

DEBUG_DIR ?= /usr/lib/debug
build_id   = $(shell readelf -n $(EXTENSION).so | sed -n 's/^ *Build ID: //p')

# --- Unit tests: the core and the codec under sanitizers, no server ---------------------------------------------------

SANITIZERS   := -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
UNIT_FLAGS   := -std=c++20 -g1 -O1 $(WARNINGS) $(SANITIZERS) -Isrc -Itest $(BOOST) -MMD -MP
UNIT_SOURCES := $(CORE_SOURCES) $(sort $(wildcard test/unit/*.cc))
UNIT_OBJECTS := $(patsubst %.cc,build/unit/%.o,$(UNIT_SOURCES))

build/unit/run: $(UNIT_OBJECTS) build/unit/objects
	$(CXX) $(SANITIZERS) $(UNIT_OBJECTS) -lgtest -lgtest_main -pthread -o $@

build/unit/%.o: %.cc build/unit/settings
	@mkdir -p $(@D)
	$(CXX) $(UNIT_FLAGS) -c $< -o $@

build/unit/settings: FORCE
	$(call record,$(UNIT_FLAGS))

build/unit/objects: FORCE
	$(call record,$(UNIT_OBJECTS))

-include $(UNIT_OBJECTS:.o=.d)

# --- Property tests in great number: optimised, without sanitizers; build/unit/run runs some of them under these ------

PROPERTY_FLAGS   := -std=c++20 -O2 $(WARNINGS) -Isrc -Itest $(BOOST) -MMD -MP
PROPERTY_SOURCES := $(CORE_SOURCES) $(addprefix test/unit/,oracle.cc oracle_conditions.cc oracle_sets.cc random_case.cc random_conditions.cc search_cases.cc property_test.cc)
PROPERTY_OBJECTS := $(patsubst %.cc,build/property/%.o,$(PROPERTY_SOURCES))

build/property/run: $(PROPERTY_OBJECTS) build/property/objects
	$(CXX) $(PROPERTY_OBJECTS) -lgtest -lgtest_main -pthread -o $@

build/property/%.o: %.cc build/property/settings
	@mkdir -p $(@D)
	$(CXX) $(PROPERTY_FLAGS) -c $< -o $@

build/property/settings: FORCE
	$(call record,$(PROPERTY_FLAGS))

build/property/objects: FORCE
	$(call record,$(PROPERTY_OBJECTS))

-include $(PROPERTY_OBJECTS:.o=.d)

# The benchmark of the search for the maximum benefit: the core alone, in the same way.
BENCH_SOURCES := $(CORE_SOURCES) test/unit/search_cases.cc bench/max_benefit.cc
BENCH_OBJECTS := $(patsubst %.cc,build/property/%.o,$(BENCH_SOURCES))

build/bench/max_benefit: $(BENCH_OBJECTS)
	@mkdir -p $(@D)
	$(CXX) $(BENCH_OBJECTS) -o $@

-include $(BENCH_OBJECTS:.o=.d)

# --- Fuzzing: each test/fuzz/NAME.cc is a program of its own, with the core and the codec -----------------------------

FUZZ_SECONDS ?= 60
FUZZ_CXX     ?= clang++
FUZZ_FLAGS   := -std=c++20 -g -O1 $(SANITIZERS) -D_GLIBCXX_ASSERTIONS -Isrc -Itest $(BOOST) -MMD -MP
FUZZ_NAMES   := $(patsubst test/fuzz/%.cc,%,$(sort $(wildcard test/fuzz/*.cc)))
FUZZ_CORE    := $(patsubst %.cc,build/fuzz/%.o,$(CORE_SOURCES))
FUZZ_TARGETS := $(addprefix build/fuzz/,$(FUZZ_NAMES))

$(FUZZ_TARGETS): build/fuzz/%: build/fuzz/test/fuzz/%.o $(FUZZ_CORE)
	$(FUZZ_CXX) $(FUZZ_FLAGS) -fsanitize=fuzzer $^ -o $@

build/fuzz/%.o: %.cc build/fuzz/settings
	@mkdir -p $(@D)
	$(FUZZ_CXX) $(FUZZ_FLAGS) -fsanitize=fuzzer-no-link -c $< -o $@

build/fuzz/settings: FORCE
	$(call record,$(FUZZ_FLAGS))

-include $(FUZZ_CORE:.o=.d) $(FUZZ_NAMES:%=build/fuzz/test/fuzz/%.d)

GENERATED_PAGES := doc/errors.md doc/reference.md doc/tables.md doc/program.schema.json

# --- What to make -----------------------------------------------------------------------------------------------------

.PHONY: install-debug dist unit test matrix accept demo history bench fuzz fuzz-sql memcheck format reference packages help

#: all           build the extension (the default)
#: install       install it into the PostgreSQL that PG_CONFIG names
#: uninstall     remove it from there
#: install-debug install its debug symbols for debuggers: DEBUG_DIR=path (default /usr/lib/debug)
install-debug: $(EXTENSION).so.debug
	@[ -n "$(build_id)" ] || { echo "$(EXTENSION).so has no build id" >&2; exit 1; }
	install -D -m 644 $< '$(DESTDIR)$(DEBUG_DIR)/.build-id/$(shell echo $(build_id) | cut -c1-2)/$(shell echo $(build_id) | cut -c3-).debug'

#: dist          pack what git has committed as a release for PGXN: loyalty-VERSION.zip
dist:
	git archive --format zip --prefix=$(EXTENSION)-$(EXTVERSION)/ --output $(EXTENSION)-$(EXTVERSION).zip HEAD
	@echo $(EXTENSION)-$(EXTVERSION).zip

#: installcheck  run regression, isolation and TAP tests against a running server that has it installed
#: clean         remove all build products

#: demo          see it work: install what is missing, build, run demo/demo.sql on a private server
demo:
	@tools/packages build
	+@tools/private-server psql -X -q -v ON_ERROR_STOP=1 -v with_history=1 -f demo/demo.sql

#: test          install what is missing, build, run all tests; parts: SUITES="unit regress isolation tap" TESTS="name name";
#:               SUITES=regress CITUS=1 runs regression tests on a node of a Citus cluster, where Citus is installed
test:
	@tools/packages build unit test
	+@TESTS="$(TESTS)" tools/test $(SUITES)

#: matrix        prove demo and test on bare systems of other Debian releases; SERVER=PATH adds a server built from source
matrix:
	@SERVER="$(SERVER)" tools/matrix

#: accept        take the outputs of the last `make test` as the expected ones: read them first
accept:
	@tools/accept

#: unit          run the unit tests of the core under AddressSanitizer and UBSan, random cases also without; no server needed
unit:
	@tools/packages unit
	+@tools/quiet-make build/unit/run build/property/run
	UBSAN_OPTIONS=print_stacktrace=1 build/unit/run
	build/property/run

#: history       replay the whole year of the Online Retail file on a private server, some minutes: FILE=path (.csv or .csv.gz)
history:
	@[ -f "$(FILE)" ] || { echo "make history needs the file: make history FILE=.../online_retail.csv.gz (demo/DATA.md says where it comes from)" >&2; exit 1; }
	@tools/packages build
	+@gzip -cdf -- "$(FILE)" | tools/private-server tools/history

#: bench         run the benchmarks on a private server
bench:
	@tools/packages build
	+@tools/quiet-make build/bench/max_benefit
	+@tools/private-server --durable bench/run

#: fuzz          run each fuzzer for FUZZ_SECONDS (default 60)
fuzz:
	@tools/packages fuzz
	+@tools/quiet-make $(FUZZ_TARGETS)
	@tools/fuzz $(FUZZ_SECONDS) $(FUZZ_NAMES)

#: fuzz-sql      attack every function, table and trigger function by SQL: CALLS=50000 SEED=7
fuzz-sql:
	@tools/packages build test
	+@FUZZ_CALLS=$(or $(CALLS),50000) FUZZ_SEED=$(or $(SEED),$(shell date +%s)) TESTS=fuzz_sql tools/test tap

#: memcheck      run regression tests under valgrind, slowly: MEMCHECK="orders ledger" chooses which
MEMCHECK ?= orders ledger tiers enrolment hostile_input bounds
memcheck:
	@tools/packages build memcheck
	+@tools/private-server --save memcheck.txt tools/memcheck $(MEMCHECK)

#: format        format the C++ sources with clang-format
format:
	@tools/packages format
	find src test \( -name '*.cc' -o -name '*.hpp' -o -name '*.h' \) -exec clang-format -i {} +

#: reference     bring the generated parts of the documentation up to date with the comments in sql/ and the list of errors
reference:
	@tools/packages build
	+@tools/private-server $(GENERATED_PAGES:%=--save %) tools/reference --write $(GENERATED_PAGES)

#: packages      install the Debian packages that building and testing need
packages:
	@tools/packages build unit test

#: help          this list
help:
	@sed -n 's/^#: //p' Makefile
