// Queries whose text depends on names that a caller gives: of a profile's relation, of a field. Planned once, as others
// are; but names are as many as callers make up, so only the last used ones are kept.
#pragma once

#include <memory>
#include <string>
#include <unordered_map>

#include "pg/server/spi.hpp"

namespace loyalty::pg {

// There is one of these for each kind of query, and it is never destroyed.
class KeptQueries {
public:
    // The server's memory for one is about 15 kB.
    static constexpr std::size_t most = 64;

    Rows run(const std::string& text, Oid type, const Argument& argument, bool writes = false);

private:
    // A view of the user's may come here again while a query of ours reads it: what runs is not dropped.
    struct Entry {
        Query query;
        std::uint64_t last_used;
        int running = 0;
    };

    Entry& find(const std::string& text, Oid type);
    void drop_oldest();

    std::unordered_map<std::string, std::unique_ptr<Entry>> entries_;
    std::uint64_t uses_ = 0;
};

}  // namespace loyalty::pg
