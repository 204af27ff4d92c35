// The settings of the server that are ours, `loyalty.…`: SHOW, SET, ALTER DATABASE … SET.
#pragma once

namespace loyalty::pg::settings {

// loyalty.max_calculation_memory, in kB: see memory.hpp.
extern int max_calculation_memory;
// loyalty.notify: whether transactions that wrote events notify listeners, see events/notify.cc.
extern bool notify;
// loyalty.keeping: read by a trigger of SQL, see sql/live/40-catalogue.sql. It guards against slips, not against those who
// have rights on the table: they could set it, too, and loyalty_verify() would find what they change.
extern bool keeping;

}  // namespace loyalty::pg::settings
