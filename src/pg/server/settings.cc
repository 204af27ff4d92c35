#include "pg/server/settings.hpp"

namespace loyalty::pg::settings {

int max_calculation_memory = 256 * 1024;
bool notify = true;

}  // namespace loyalty::pg::settings
