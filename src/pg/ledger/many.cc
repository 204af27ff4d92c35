#include "pg/ledger/many.hpp"

#include <algorithm>
#include <map>
#include <set>

#include "pg/events/outbox.hpp"
#include "pg/ledger/amounts.hpp"
#include "pg/ledger/around_booking.hpp"
#include "pg/ledger/store_many.hpp"
#include "pg/members/lock.hpp"
#include "pg/members/visible.hpp"
#include "pg/server/clock.hpp"
#include "pg/server/in_turn.hpp"
#include "pg/server/owner.hpp"

namespace loyalty::pg {

namespace {

constexpr std::size_t slice_size = 5'000;

struct Row {
    std::size_t number;
    Posting posting;

    // What its account in memory decides; everything else is booked by itself.
    bool is_plain() const { return posting.type == "accrual" || posting.type == "redemption"; }
};

// Errors of the isolation between transactions are the whole call's, which is to be tried again.
bool is_of_call(const Trouble& trouble) { return trouble.sqlstate.starts_with("40"); }

Trouble trouble_of(const Error& error) { return {error.sqlstate(), error.message(), error.detail(), error.hint()}; }

class ManyBookings {
public:
    ManyBookings(std::string program, GivenRows& rows, bool skips)
        : program_(std::move(program)), rows_(rows), skips_(skips), now_(now()), time_zone_(zone_of(program_)) {}

    ManyOutcomes run() {
        outcomes_.rows.resize(rows_.size());
        const std::vector<std::size_t> order = rows_.in_order_of_members();
        prepare_outbox();
        lock(order);
        for (std::size_t first = 0; first < order.size(); first += slice_size) {
            check_interrupts();
            const Spi slice;
            book_slice(std::span(order).subspan(first, std::min(slice_size, order.size() - first)));
        }
        return std::move(outcomes_);
    }

private:
    static std::string zone_of(const std::string& program) {
        static Query query("SELECT time_zone::text FROM loyalty.programs WHERE external_id = $1", {TEXTOID});
        const Rows rows = query.run({text_argument(program)}, true);
        if (rows.size() == 1) return rows.text(0, 1);
        throw Error(sqlstate::unknown_program, "program \"" + program + "\" does not exist", {},
                    "Name one of loyalty.programs.");
    }

    // -----------------------------------------------------------------------------------------------------------------
    // What becomes of rows

    void refuse(std::size_t row, Trouble trouble) {
        if (!skips_ || is_of_call(trouble)) {
            throw Error(trouble.sqlstate, "row " + std::to_string(row + 1) + ": " + trouble.message, trouble.detail,
                        trouble.hint);
        }
        outcomes_.rows[row] = {RowOutcome::Kind::refused, {}, outcomes_.troubles.size()};
        outcomes_.troubles.push_back(std::move(trouble));
    }

    bool is_refused(std::size_t row) const { return outcomes_.rows[row].kind == RowOutcome::Kind::refused; }

    void note(std::size_t row, const Booking& booking) {
        outcomes_.rows[row] = booking.repeated ? RowOutcome{RowOutcome::Kind::repeated, *booking.repeated, 0}
                                               : RowOutcome{RowOutcome::Kind::booked, booking.id, 0};
    }

    // Runs what may fail for the row without a trace, but for plain errors of ours where nothing is open yet.
    template <class Body>
    void try_row(std::size_t row, bool reads, const Body& body) {
        if (skips_ && reads) {
            if (auto trouble = attempt(body)) refuse(row, *std::move(trouble));
            return;
        }
        try {
            body();
        } catch (const Error& error) {
            refuse(row, trouble_of(error));
        }
    }

    // -----------------------------------------------------------------------------------------------------------------
    // Members

    // Whom the caller may not see is not locked.
    void lock(const std::vector<std::size_t>& order) {
        const bool may_hide = may_hide_members(program_);
        for (std::size_t next = 0; next < order.size();) {
            check_interrupts();
            const Spi slice;
            std::vector<std::string> members;
            while (next < order.size() && members.size() < slice_size) {
                const std::size_t first = next;
                const std::string_view key = rows_.member(order[first]);
                while (next < order.size() && rows_.member(order[next]) == key) next++;
                if (key.empty()) continue;
                const std::string member = utf8(key);
                if (!may_hide || is_visible(std::span(order).subspan(first, next - first), member))
                    members.push_back(member);
            }
            lock_members(program_, members);
        }
    }

    bool is_visible(std::span<const std::size_t> rows, const std::string& member) {
        for (const auto row : rows) try_row(row, true, [&] { require_visible(member, program_); });
        return !is_refused(rows.front());
    }

    static std::string utf8(std::string_view key) {
        const char* data = key.data();
        const int size = static_cast<int>(key.size());
        return postgres([=] {
            const char* converted = pg_server_to_any(data, size, PG_UTF8);
            return converted == data ? pnstrdup(data, static_cast<Size>(size)) : converted;
        });
    }

    // Those that the slice is about, and whether each was removed.
    std::map<std::string, bool> find_members(const std::vector<Row*>& rows) const {
        static Query query(
            "SELECT m.member, m.removed_at IS NOT NULL"
            "  FROM unnest($2::text[]) k (member) JOIN loyalty.members m ON m.member = k.member AND m.program = $1",
            {TEXTOID, TEXTARRAYOID});
        std::set<std::string> keys;
        for (const Row* row : rows) keys.insert(row->posting.key.member);
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

    // -----------------------------------------------------------------------------------------------------------------
    // Slices and rounds

    void book_slice(std::span<const std::size_t> numbers) {
        std::vector<Row> rows;
        rows.reserve(numbers.size());
        for (const auto number : numbers) {
            if (is_refused(number)) continue;
            try_row(number, false, [&] { rows.push_back({number, rows_.posting(number, program_, time_zone_)}); });
        }
        for (std::vector<Row*> pending = all_of(rows); !pending.empty();) {
            std::vector<Row*> plain, alone, later;
            part(pending, plain, alone, later);
            book_round(plain, alone);
            for (Row* row : alone) try_row(row->number, true, [&] { book_alone(*row); });
            pending = std::move(later);
        }
    }

    static std::vector<Row*> all_of(std::vector<Row>& rows) {
        std::vector<Row*> all;
        for (auto& row : rows) all.push_back(&row);
        return all;
    }

    // Which rows can be booked together: of a member none behind one that has to be written before the next is decided on.
    static void part(const std::vector<Row*>& pending, std::vector<Row*>& plain, std::vector<Row*>& alone,
                     std::vector<Row*>& later) {
        std::string_view member;
        bool closed = false, any = false;
        std::set<std::string_view> external_ids;
        for (Row* row : pending) {
            const Posting& posting = row->posting;
            if (posting.key.member != member || !any) {
                member = posting.key.member;
                closed = any = false;
                external_ids.clear();
            }
            const bool by_itself = !row->is_plain() || posting.promotion;
            closed = closed || (by_itself && any) ||
                     (posting.external_id && !external_ids.insert(*posting.external_id).second);
            any = true;
            if (closed) {
                later.push_back(row);
                continue;
            }
            (row->is_plain() ? plain : alone).push_back(row);
            closed = by_itself;
        }
    }

    // Where anything fails for all, each row is tried by itself: so the one is found whose fault it is.
    void book_round(const std::vector<Row*>& plain, std::vector<Row*>& alone) {
        if (plain.empty()) return;
        if (!skips_) return book_together(plain, alone);
        const std::size_t alone_before = alone.size(), troubles_before = outcomes_.troubles.size();
        const auto trouble = attempt([&] { book_together(plain, alone); });
        if (!trouble) return;
        if (is_of_call(*trouble)) throw Error(trouble->sqlstate, trouble->message, trouble->detail, trouble->hint);
        outcomes_.troubles.resize(troubles_before);
        alone.resize(alone_before);
        for (Row* row : plain) {
            outcomes_.rows[row->number] = {};
            alone.push_back(row);
        }
    }

    void book_alone(const Row& row) {
        const Booking booking = book(row.posting);
        if (!booking.repeated) insert_row(row.posting, booking);
        note(row.number, booking);
    }

    // -----------------------------------------------------------------------------------------------------------------
    // Together

    using Accounts = std::map<std::pair<std::string, std::string>, ManyAccount>;

    void book_together(const std::vector<Row*>& rows, std::vector<Row*>& alone) {
        Accounts accounts;
        const std::vector<Row*> bookable = find_accounts(rows, accounts);
        std::vector<ManyAccount*> to_read;
        for (auto& entry : accounts) {
            ManyAccount& account = entry.second;
            if (account.state.terms.qualifies) review_before_booking(account.key, account.arguments, now_);
            to_read.push_back(&account);
        }
        read_accounts(program_, to_read, now_);
        const auto known = find_external_ids(bookable);
        for (Row* row : bookable) {
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
    std::vector<Row*> find_accounts(const std::vector<Row*>& rows, Accounts& accounts) {
        const auto members = find_members(rows);
        std::vector<Row*> bookable;
        for (Row* row : rows) {
            const AccountKey& key = row->posting.key;
            try_row(row->number, false, [&] {
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

    // What cannot be read is refused when the row is decided on.
    static void expect_redemption(const Row& row, ManyAccount& account) {
        account.redemptions++;
        if (!row.posting.value) return;
        try {
            const ledger::Units value = -read_value(*row.posting.value, -1, account.state.terms.scale, "value");
            account.to_spend = std::min(account.to_spend + value, ledger::max_units);
        } catch (const Error&) {
        }
    }

    // Error LY208 where there is no such point type.
    Terms terms_of(const std::string& point_type) {
        const auto unknown = unknown_types_.find(point_type);
        if (unknown != unknown_types_.end()) fail(unknown->second);
        std::optional<Terms> terms;
        const auto find = [&] { terms = ledger_terms(program_, point_type); };
        if (!skips_) {
            find();
        } else if (auto trouble = attempt(find)) {
            fail(unknown_types_.emplace(point_type, *std::move(trouble)).first->second);
        }
        return *terms;
    }

    [[noreturn]] static void fail(const Trouble& trouble) {
        throw Error(trouble.sqlstate, trouble.message, trouble.detail, trouble.hint);
    }

    // Transactions and holds that have the external ids of rows, by the number of the row.
    struct KnownId {
        std::optional<Uuid> transaction, hold;
    };
    using KnownIds = std::map<std::size_t, KnownId>;

    KnownIds find_external_ids(const std::vector<Row*>& rows) const {
        static Query query(
            "SELECT k.number::integer, t.id, h.id"
            "  FROM unnest($2::text[], $3::text[]) WITH ORDINALITY k (member, external_id, number)"
            "  LEFT JOIN loyalty.transactions t ON t.member = k.member AND t.program = $1 AND t.external_id = k.external_id"
            "  LEFT JOIN loyalty.holds h ON h.member = k.member AND h.program = $1 AND h.external_id = k.external_id"
            " WHERE t.id IS NOT NULL OR h.id IS NOT NULL",
            {TEXTOID, TEXTARRAYOID, TEXTARRAYOID});
        std::vector<const Row*> asked;
        std::vector<std::string> members, external_ids;
        for (const Row* row : rows) {
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

    void decide_on(Row& row, ManyAccount& account, const KnownIds& known) {
        const auto id = known.find(row.number);
        account.state.transaction = id == known.end() ? std::nullopt : id->second.transaction;
        account.state.hold = id == known.end() ? std::nullopt : id->second.hold;
        const std::size_t entries_before = account.ids.size();
        try_row(row.number, id != known.end() || row.posting.promotion, [&] {
            Decision decision = decide(row.posting, account.arguments, account.state, account.ids);
            note(row.number, decision.booking);
            if (decision.entry) account.own.push_back({&row.posting, std::move(decision)});
        });
        if (!is_refused(row.number)) return;
        // What was written for the row is undone, what its account has in memory is not: then the round is.
        const bool half_done = (row.posting.promotion && account.ids.size() > entries_before) ||
                               outcomes_.troubles.back().sqlstate == sqlstate::data_corrupted;
        if (half_done) throw Error(sqlstate::data_corrupted, "a row was refused when its account had changed");
    }

    void judge(const std::vector<const ManyAccount*>& accounts) const {
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

    const std::string program_;
    GivenRows& rows_;
    const bool skips_;
    const TimestampTz now_;
    const std::string time_zone_;
    ManyOutcomes outcomes_;
    std::map<std::string, Trouble> unknown_types_;
};

}  // namespace

ManyOutcomes book_many(const std::string& program, GivenRows& rows, bool skips) {
    return ManyBookings(program, rows, skips).run();
}

}  // namespace loyalty::pg
