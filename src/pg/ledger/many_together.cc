#include "pg/ledger/many_together.hpp"

#include <algorithm>
#include <set>

#include "pg/ledger/amounts.hpp"
#include "pg/ledger/around_booking.hpp"
#include "pg/server/in_turn.hpp"

namespace loyalty::pg {

namespace {

// What cannot be read is refused when the row is decided on.
void expect_redemption(const ManyRow& row, ManyAccount& account) {
    account.redemptions++;
    if (!row.posting.value) return;
    try {
        const ledger::Units value = -read_value(*row.posting.value, -1, account.state.terms.scale, "value");
        account.to_spend = std::min(account.to_spend + value, ledger::max_units);
    } catch (const Error&) {
    }
}

}  // namespace

void Together::book(const std::vector<ManyRow*>& rows, std::vector<ManyRow*>& alone) {
    Accounts accounts;
    const std::vector<ManyRow*> bookable = find_accounts(rows, accounts);
    std::vector<ManyAccount*> to_read;
    for (auto& entry : accounts) {
        ManyAccount& account = entry.second;
        if (account.state.terms.qualifies) review_before_booking(account.key, account.arguments, now_);
        to_read.push_back(&account);
    }
    read_accounts(program_, to_read, now_);
    const auto known = find_external_ids(bookable);
    for (ManyRow* row : bookable) {
        ManyAccount& account = accounts.at({row->posting.key.member, row->posting.key.point_type});
        if (account.is_left_alone()) {
            alone.push_back(row);
            continue;
        }
        decide_on(*row, account, known);
    }
    std::vector<const ManyAccount*> to_write;
    for (const ManyAccount* account : to_read) {
        if (!account->is_left_alone()) to_write.push_back(account);
    }
    write_accounts(program_, to_write, now_);
    judge(to_write);
}

// The accounts of the rows, with their terms, and the rows that have one.
std::vector<ManyRow*> Together::find_accounts(const std::vector<ManyRow*>& rows, Accounts& accounts) {
    const auto members = find_members(rows);
    std::vector<ManyRow*> bookable;
    for (ManyRow* row : rows) {
        const AccountKey& key = row->posting.key;
        results_.try_row(row->number, false, [&] {
            check_form(row->posting);
            const Terms terms = terms_of(key.point_type);
            const auto member = members.find(key.member);
            if (member == members.end()) {
                throw Error(sqlstate::not_a_member,
                            "\"" + key.member + "\" is no member of program \"" + program_ + "\"", {},
                            "Enrol the member first; the key is the text of the profile's key.");
            }
            ManyAccount& account = accounts.try_emplace({key.member, key.point_type}, key).first->second;
            account.state.terms = terms;
            account.state.terms.member_removed = member->second;
            if (row->posting.type == "redemption") expect_redemption(*row, account);
            bookable.push_back(row);
        });
    }
    return bookable;
}

// Those that the slice is about, and whether each was removed.
std::map<std::string, bool> Together::find_members(const std::vector<ManyRow*>& rows) const {
    static Query query(
        "SELECT m.member, m.removed_at IS NOT NULL"
        "  FROM unnest($2::text[]) k (member) JOIN loyalty.members m ON m.member = k.member AND m.program = $1",
        {TEXTOID, TEXTARRAYOID});
    std::set<std::string> keys;
    for (const ManyRow* row : rows) keys.insert(row->posting.key.member);
    const FreshSnapshot snapshot;
    const Rows found =
        query.run({text_argument(program_), texts_argument(std::vector<std::string>(keys.begin(), keys.end()))});
    std::map<std::string, bool> members;
    for (std::uint64_t row = 0; row < found.size(); row++) {
        ColumnsInTurn columns(found, row);
        bool& is_removed = members[columns.text()];
        is_removed = columns.boolean();
    }
    return members;
}

// Error LY208 where there is no such point type.
Terms Together::terms_of(const std::string& point_type) {
    const auto unknown = unknown_types_.find(point_type);
    if (unknown != unknown_types_.end()) raise(unknown->second);
    std::optional<Terms> terms;
    const auto find = [&] { terms = ledger_terms(program_, point_type); };
    if (!results_.skips()) {
        find();
    } else if (auto trouble = attempt(find)) {
        raise(unknown_types_.emplace(point_type, *std::move(trouble)).first->second);
    }
    return *terms;
}

Together::KnownIds Together::find_external_ids(const std::vector<ManyRow*>& rows) const {
    static Query query(
        "SELECT k.number::integer, coalesce(t.id, a.id), h.id"
        "  FROM unnest($2::text[], $3::text[]) WITH ORDINALITY k (member, external_id, number)"
        "  LEFT JOIN loyalty.transactions t ON t.member = k.member AND t.program = $1 AND t.external_id = k.external_id"
        "  LEFT JOIN loyalty.archived_ids a ON a.member = k.member AND a.program = $1 AND a.external_id = k.external_id"
        "  LEFT JOIN loyalty.holds h ON h.member = k.member AND h.program = $1 AND h.external_id = k.external_id"
        " WHERE t.id IS NOT NULL OR a.id IS NOT NULL OR h.id IS NOT NULL",
        {TEXTOID, TEXTARRAYOID, TEXTARRAYOID});
    std::vector<const ManyRow*> asked;
    std::vector<std::string> members, external_ids;
    for (const ManyRow* row : rows) {
        if (!row->posting.external_id) continue;
        asked.push_back(row);
        members.push_back(row->posting.key.member);
        external_ids.push_back(*row->posting.external_id);
    }
    KnownIds known;
    if (asked.empty()) return known;
    const FreshSnapshot snapshot;
    const Rows found = query.run({text_argument(program_), texts_argument(members), texts_argument(external_ids)});
    for (std::uint64_t row = 0; row < found.size(); row++) {
        ColumnsInTurn columns(found, row);
        KnownId& id = known[asked[static_cast<std::size_t>(columns.integer() - 1)]->number];
        id.transaction = columns.optional_uuid();
        id.hold = columns.optional_uuid();
    }
    return known;
}

void Together::decide_on(ManyRow& row, ManyAccount& account, const KnownIds& known) {
    const auto id = known.find(row.number);
    account.state.transaction = id == known.end() ? std::nullopt : id->second.transaction;
    account.state.hold = id == known.end() ? std::nullopt : id->second.hold;
    const std::size_t entries_before = account.ids.size();
    results_.try_row(row.number, id != known.end() || row.posting.promotion, [&] {
        Decision decision = decide(row.posting, account.arguments, account.state, account.ids);
        results_.note(row.number, decision.booking);
        if (decision.entry) account.own.push_back({&row.posting, std::move(decision)});
    });
    if (!results_.is_refused(row.number)) return;
    // What was written for the row is undone, what its account has in memory is not: then the round is.
    const bool half_done = (row.posting.promotion && account.ids.size() > entries_before) ||
                           results_.last_trouble().sqlstate == sqlstate::data_corrupted;
    if (half_done) throw Error(sqlstate::data_corrupted, "a row was refused when its account had changed");
}

void Together::judge(const std::vector<const ManyAccount*>& accounts) const {
    std::set<std::string> members;
    for (const ManyAccount* account : accounts) {
        if (account->own.empty()) continue;
        Terms terms = account->state.terms;
        if (terms.judges_dynamic && !terms.member_removed) members.insert(account->key.member);
        terms.judges_dynamic = false;
        judge_after_booking(account->key, account->arguments, terms, account->state.account, now_);
    }
    if (!members.empty())
        judge_after_bookings(program_, std::vector<std::string>(members.begin(), members.end()), now_);
}

}  // namespace loyalty::pg
