// What the server calls when it loads the library.
#include "pg/server/keyed_plan.hpp"
#include "pg/server/postgres.hpp"
#include "pg/server/proven_keys.hpp"
#include "pg/server/settings.hpp"

extern "C" {

PG_MODULE_MAGIC;

void _PG_init(void);
void _PG_init(void) {
    loyalty::pg::define_settings();
    loyalty::pg::plan_foreign_keys_by_keys();
    loyalty::pg::leave_out_proven_keys();
}
}
