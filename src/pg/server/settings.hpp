// The settings of the server that are ours, `loyalty.…`: SHOW, SET, ALTER DATABASE … SET.
#pragma once

namespace loyalty::pg::settings {

// loyalty.max_calculation_memory, in kB: see memory.hpp.
extern int max_calculation_memory;
// loyalty.notify: whether transactions that wrote events notify listeners, see events/notify.cc.
extern bool notify;

}  // namespace loyalty::pg::settings
