// Plain rows of many members, decided on in memory and written by a statement for each table.
#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "pg/ledger/many_rows.hpp"
#include "pg/ledger/store_many.hpp"

namespace loyalty::pg {

class Together {
public:
    Together(const std::string& program, TimestampTz now, ManyResults& results)
        : program_(program), now_(now), results_(results) {}

    // Books the rows, none of which waits for another one of its member to be written. Rows whose account cannot be
    // worked on in memory are added to `alone` instead.
    void book(const std::vector<ManyRow*>& rows, std::vector<ManyRow*>& alone);

private:
    // By member and point type.
    using Accounts = std::map<std::pair<std::string, std::string>, ManyAccount>;

    // The transaction and the hold that have the external id of a row, by the row's number.
    struct KnownId {
        std::optional<Uuid> transaction, hold;
    };
    using KnownIds = std::map<std::size_t, KnownId>;

    std::vector<ManyRow*> find_accounts(const std::vector<ManyRow*>& rows, Accounts& accounts);
    std::map<std::string, bool> find_members(const std::vector<ManyRow*>& rows) const;
    Terms terms_of(const std::string& point_type);
    KnownIds find_external_ids(const std::vector<ManyRow*>& rows) const;
    void decide_on(ManyRow& row, ManyAccount& account, const KnownIds& known);
    void judge(const std::vector<const ManyAccount*>& accounts) const;

    const std::string& program_;
    const TimestampTz now_;
    ManyResults& results_;
    std::map<std::string, Trouble> unknown_types_;
};

}  // namespace loyalty::pg
