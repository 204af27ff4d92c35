// The settings of the server that are ours, `loyalty.…`: SHOW, SET, ALTER DATABASE … SET.
#pragma once

namespace loyalty::pg::settings {

// loyalty.max_calculation_memory, in kB: see memory.hpp.
extern int max_calculation_memory;
// loyalty.notify: whether transactions that wrote events notify listeners, see events/notify.cc.
extern bool notify;
// loyalty.plan_by_keys: whether statements are planned as those by keys, see keyed_plan.hpp. Functions written in SQL
// set it.
extern bool plan_by_keys;

}  // namespace loyalty::pg::settings
