#include "pg/server/settings.hpp"

namespace loyalty::pg::settings {

int max_calculation_memory = 256 * 1024;
bool notify = true;
bool plan_by_keys = false;

}  // namespace loyalty::pg::settings
