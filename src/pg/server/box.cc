#include "pg/server/box.hpp"

#include <cstring>
#include <exception>

extern "C" {
#include "parser/parser.h"
#include "utils/bytea.h"
#include "utils/float.h"
#include "utils/guc.h"
}

namespace loyalty::pg {

namespace {

struct Setting {
    const char* name;
    const char* value;
    bool (*is_so)();
};

const Setting settings[] = {
    {"search_path", "pg_catalog, pg_temp",
     [] { return std::strcmp(namespace_search_path, "pg_catalog, pg_temp") == 0; }},
    // What triggers keep up would be lost.
    {"session_replication_role", "origin", [] { return SessionReplicationRole == SESSION_REPLICATION_ROLE_ORIGIN; }},
    // How statements are read.
    {"standard_conforming_strings", "on", [] { return standard_conforming_strings; }},
    {"array_nulls", "on", [] { return Array_nulls; }},
    {"quote_all_identifiers", "off", [] { return !quote_all_identifiers; }},
    // How values are written and read.
    {"datestyle", "ISO, MDY", [] { return DateStyle == USE_ISO_DATES && DateOrder == DATEORDER_MDY; }},
    {"intervalstyle", "postgres", [] { return IntervalStyle == INTSTYLE_POSTGRES; }},
    {"timezone", "UTC", [] { return std::strcmp(pg_get_timezone_name(session_timezone), "UTC") == 0; }},
    {"extra_float_digits", "1", [] { return extra_float_digits == 1; }},
    {"bytea_output", "hex", [] { return bytea_output == BYTEA_OUTPUT_HEX; }},
};

}  // namespace

void pin_settings() {
    for (const auto& [name, value, is_so] : settings)
        if (!is_so()) set_config_option(name, value, PGC_SUSET, PGC_S_SESSION, GUC_ACTION_SAVE, true, 0, false);
}

Box::Box(Oid user, Oid caller, bool is_for_reading)
    : outer_(innermost_),
      user_(user),
      caller_(caller),
      is_for_reading_(is_for_reading),
      exceptions_(std::uncaught_exceptions()) {
    level_ = postgres([] {
        const int level = NewGUCNestLevel();
        pin_settings();
        return level;
    });
    GetUserIdAndSecContext(&user_before_, &context_before_);
    SetUserIdAndSecContext(user, context_before_ | SECURITY_LOCAL_USERID_CHANGE | SECURITY_RESTRICTED_OPERATION);
    innermost_ = this;
}

Box::~Box() {
    innermost_ = outer_;
    SetUserIdAndSecContext(user_before_, context_before_);
    if (std::uncaught_exceptions() == exceptions_) AtEOXact_GUC(false, level_);
}

}  // namespace loyalty::pg
