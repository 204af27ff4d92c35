#include "pg/server/search_path.hpp"

#include <cstring>

extern "C" {
#include "utils/guc.h"
}

namespace loyalty::pg {

namespace {

constexpr const char* pinned = "pg_catalog, pg_temp";

}  // namespace

PinnedSearchPath::PinnedSearchPath() : exceptions_(std::uncaught_exceptions()) {
    // A caller of ours may have pinned it already.
    if (std::strcmp(namespace_search_path, pinned) == 0) return;
    nest_level_ = postgres([] {
        const int level = NewGUCNestLevel();
        set_config_option("search_path", pinned, PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE, true, 0, false);
        return level;
    });
}

PinnedSearchPath::~PinnedSearchPath() {
    if (nest_level_ > 0 && std::uncaught_exceptions() == exceptions_) AtEOXact_GUC(true, nest_level_);
}

}  // namespace loyalty::pg
