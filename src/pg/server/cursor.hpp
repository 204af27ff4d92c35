// Reading many rows a slice at a time.
#pragma once

#include <string>

#include "pg/server/spi.hpp"

namespace loyalty::pg {

// A query that is read slice by slice, within a connection to SPI. Each slice runs as the user who is current then.
class Cursor {
public:
    explicit Cursor(const std::string& text) {
        const char* query = text.c_str();
        portal_ = postgres([=] {
            const Portal portal = SPI_cursor_open_with_args(nullptr, query, 0, nullptr, nullptr, nullptr, true, 0);
            if (portal == nullptr) elog(ERROR, "could not open a cursor: %s", SPI_result_code_string(SPI_result));
            return portal;
        });
    }

    // The next rows; they live until the next slice. Empty at the end.
    Rows fetch(long count) {
        SPITupleTable* last = slice_;
        const Portal portal = portal_;
        const std::uint64_t rows = postgres([=] {
            if (last) SPI_freetuptable(last);
            SPI_cursor_fetch(portal, true, count);
            return SPI_processed;
        });
        slice_ = SPI_tuptable;
        return Rows(slice_, rows);
    }

    void close() {
        const Portal portal = portal_;
        postgres([=] { SPI_cursor_close(portal); });
    }

private:
    Portal portal_;
    SPITupleTable* slice_ = nullptr;
};

}  // namespace loyalty::pg
