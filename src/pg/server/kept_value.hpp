// A value that this backend reads from a small table of schema loyalty and keeps until the table changes. Every change
// sends an invalidation (the table's trigger invalidate_cache), also to the session that changes it, and there once
// more when it is rolled back.
#pragma once

#include <optional>

#include "pg/server/owner.hpp"
#include "pg/server/relation_changes.hpp"
#include "pg/server/spi.hpp"

namespace loyalty::pg {

template <typename Value>
class KeptValue {
public:
    // `load` reads the value, as the schema's owner. There is one of these for each table, and it is never destroyed.
    KeptValue(const char* table, Value (*load)()) : name_(table), load_(load) {
        hear_of_changes(invalidate, PointerGetDatum(this));
    }
    KeptValue(const KeptValue&) = delete;
    KeptValue& operator=(const KeptValue&) = delete;

    // Nothing before the schema is made. Marked valid before loading, and loaded under the latest snapshot: see
    // cache.hpp.
    std::optional<Value> get() {
        postgres([] { AcceptInvalidationMessages(); });
        if (valid_) return value_;
        const Oid table = find_table();
        if (!OidIsValid(table)) return std::nullopt;
        // Processes of a parallel query cannot take a snapshot of their own, so what they read may be old.
        if (IsInParallelMode()) return load_as_owner();
        table_ = table;
        valid_ = true;
        try {
            const LatestSnapshot latest;
            value_ = load_as_owner();
        } catch (...) {
            valid_ = false;
            throw;
        }
        return value_;
    }

private:
    static void invalidate(Datum instance, Oid table) {
        auto* kept = reinterpret_cast<KeptValue*>(DatumGetPointer(instance));
        if (table == InvalidOid || table == kept->table_) kept->valid_ = false;
    }

    Oid find_table() const {
        const char* name = name_;
        return postgres([=] {
            const Oid schema = get_namespace_oid("loyalty", true);
            return OidIsValid(schema) ? get_relname_relid(name, schema) : InvalidOid;
        });
    }

    Value load_as_owner() const {
        const AsOwner as_owner = AsOwner::going_on();
        const Spi connection;
        return load_();
    }

    const char* name_;
    Value (*load_)();
    bool valid_ = false;
    Oid table_ = InvalidOid;
    Value value_{};
};

}  // namespace loyalty::pg
