// The settings of the server that are ours, `loyalty.…`: SHOW, SET, ALTER DATABASE … SET. None of them changes what is stored.
#pragma once

namespace loyalty::pg::settings {

// loyalty.max_calculation_memory, in kB: see memory.hpp.
extern int max_calculation_memory;
// loyalty.notify: whether transactions that wrote events notify listeners, see events/notify.cc.
extern bool notify;

}  // namespace loyalty::pg::settings

namespace loyalty::pg {

// Called once, where the library is loaded. No other setting of this prefix can be made afterwards.
void define_settings();

}  // namespace loyalty::pg
