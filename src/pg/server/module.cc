// What the server calls when it loads the library.
#include "pg/server/keyed_plan.hpp"
#include "pg/server/memory.hpp"
#include "pg/server/postgres.hpp"

extern "C" {
#include "utils/guc.h"

PG_MODULE_MAGIC;

void _PG_init(void);
void _PG_init(void) {
    DefineCustomIntVariable("loyalty.max_calculation_memory", "The most memory that one calculation may hold.",
                            "A calculation that needs more ends with error LY402.",
                            &loyalty::pg::max_calculation_memory_kb, 256 * 1024, 1024, MAX_KILOBYTES, PGC_SUSET,
                            GUC_UNIT_KB, nullptr, nullptr, nullptr);
    loyalty::pg::plan_foreign_keys_by_keys();
}
}
