// The settings of the server that are ours, `loyalty.…`: SHOW, SET, ALTER DATABASE … SET. None of them changes what is stored.
#pragma once

namespace loyalty::pg::settings {

// loyalty.max_calculation_memory, in kB: see memory.hpp.
extern int max_calculation_memory;
// loyalty.notify: whether transactions that wrote events notify listeners, see events/notify.cc.
extern bool notify;
// loyalty.keeping: read by a trigger of SQL, see sql/live/40-catalogue.sql.
extern bool keeping;

}  // namespace loyalty::pg::settings
