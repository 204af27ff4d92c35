// What the server calls when it loads the library.
#include "pg/server/keyed_plan.hpp"
#include "pg/server/plain_errors.hpp"
#include "pg/server/postgres.hpp"
#include "pg/server/proven_keys.hpp"
#include "pg/server/settings.hpp"

extern "C" {
#include "utils/guc.h"

PG_MODULE_MAGIC;

void _PG_init(void);
void _PG_init(void) {
    using namespace loyalty::pg;
    // Who may set it protects the server from a role's orders, so the role itself may not.
    DefineCustomIntVariable("loyalty.max_calculation_memory", "The most memory that one calculation may hold.",
                            "A calculation that needs more ends with error LY402.", &settings::max_calculation_memory,
                            settings::max_calculation_memory, 1024, MAX_KILOBYTES, PGC_SUSET, GUC_UNIT_KB, nullptr,
                            nullptr, nullptr);
    DefineCustomBoolVariable("loyalty.notify", "Whether transactions that wrote events notify channel loyalty.",
                             "The events are written in either case.", &settings::notify, settings::notify, PGC_USERSET,
                             0, nullptr, nullptr, nullptr);
    // Of use to no one but the functions that set it for themselves.
    DefineCustomBoolVariable("loyalty.plan_by_keys", "Whether statements are planned for reading by whole keys.",
                             "Functions that look up single rows set it for themselves.", &settings::plan_by_keys,
                             settings::plan_by_keys, PGC_USERSET, GUC_NO_SHOW_ALL | GUC_NOT_IN_SAMPLE, nullptr, nullptr,
                             nullptr);
    // No other setting of this prefix can be made from now on.
    MarkGUCPrefixReserved("loyalty");

    plan_foreign_keys_by_keys();
    leave_out_proven_keys();
    tell_errors_plainly();
}
}
