// Pinning the search path where a function does not declare it. A SET clause costs every call some microseconds, also those
// that look up no name; the trigger that is called four times a row pins the path for the one call that does.
#pragma once

#include <exception>

#include "pg/server/doors.hpp"

namespace loyalty::pg {

// Sets search_path to pg_catalog, pg_temp for the extent of an object. An error restores it by itself.
class PinnedSearchPath {
public:
    PinnedSearchPath();
    ~PinnedSearchPath();
    PinnedSearchPath(const PinnedSearchPath&) = delete;
    PinnedSearchPath& operator=(const PinnedSearchPath&) = delete;

private:
    int exceptions_;
    int nest_level_ = 0;
};

}  // namespace loyalty::pg
