// Reading many rows a slice at a time.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "pg/server/spi.hpp"

namespace loyalty::pg {

// A query that is read slice by slice, within a connection to SPI. Each slice runs as the user who is current then.
// Code of users that the query runs sees all cursors of the session, and could close any: so this one is pinned, and
// found by its name each time.
class Cursor {
public:
    explicit Cursor(const std::string& text, std::span<const Oid> types = {},
                    std::span<const Argument> arguments = {}) {
        const char* query = text.c_str();
        std::vector<Oid> oids(types.begin(), types.end());
        std::vector<Datum> datums;
        std::string nulls;
        for (const auto& argument : arguments) {
            datums.push_back(argument.value);
            nulls.push_back(argument.is_null ? 'n' : ' ');
        }
        const int count = static_cast<int>(oids.size());
        Oid* of_types = oids.data();
        Datum* values = datums.data();
        const char* are_null = nulls.c_str();
        name_ = postgres([=] {
            const Portal portal = SPI_cursor_open_with_args(nullptr, query, count, of_types, values, are_null, true, 0);
            if (portal == nullptr) elog(ERROR, "could not open a cursor: %s", SPI_result_code_string(SPI_result));
            PinPortal(portal);
            return portal->name;
        });
    }

    // The next rows; they live until the next slice. Empty at the end.
    Rows fetch(long count) {
        SPITupleTable* last = slice_;
        const char* name = name_.c_str();
        const std::uint64_t rows = postgres([=] {
            if (last) SPI_freetuptable(last);
            SPI_cursor_fetch(find(name), true, count);
            return SPI_processed;
        });
        slice_ = SPI_tuptable;
        return Rows(slice_, rows);
    }

    void close() {
        const char* name = name_.c_str();
        postgres([=] {
            const Portal portal = find(name);
            UnpinPortal(portal);
            SPI_cursor_close(portal);
        });
    }

private:
    static Portal find(const char* name) {
        const Portal portal = GetPortalByName(name);
        if (!PortalIsValid(portal)) {
            ereport(ERROR, errcode(ERRCODE_UNDEFINED_CURSOR), errmsg("cursor \"%s\" is gone", name));
        }
        return portal;
    }

    std::string name_;
    SPITupleTable* slice_ = nullptr;
};

}  // namespace loyalty::pg
