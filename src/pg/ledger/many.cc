#include "pg/ledger/many.hpp"

#include <algorithm>
#include <set>

#include "pg/events/outbox.hpp"
#include "pg/ledger/many_together.hpp"
#include "pg/members/lock.hpp"
#include "pg/members/visible.hpp"
#include "pg/server/clock.hpp"
#include "pg/server/owner.hpp"

namespace loyalty::pg {

namespace {

constexpr std::size_t slice_size = 5'000;

std::string zone_of(const std::string& program) {
    static Query query("SELECT time_zone::text FROM loyalty.programs WHERE external_id = $1", {TEXTOID});
    const Rows rows = query.run({text_argument(program)}, true);
    if (rows.size() == 1) return rows.text(0, 1);
    throw Error(sqlstate::unknown_program, "program \"" + program + "\" does not exist", {},
                "Name one of loyalty.programs.");
}

std::string utf8(std::string_view key) {
    const char* data = key.data();
    const int size = static_cast<int>(key.size());
    return postgres([=] {
        const char* converted = pg_server_to_any(data, size, PG_UTF8);
        return converted == data ? pnstrdup(data, static_cast<Size>(size)) : converted;
    });
}

class ManyBookings {
public:
    ManyBookings(std::string program, GivenRows& rows, bool skips)
        : program_(std::move(program)), rows_(rows), time_zone_(zone_of(program_)), results_(rows.size(), skips) {}

    ManyOutcomes run() {
        const std::vector<std::size_t> order = rows_.in_order_of_members();
        prepare_outbox();
        lock(order);
        for (std::size_t first = 0; first < order.size(); first += slice_size) {
            check_interrupts();
            const Spi slice;
            book_slice(std::span(order).subspan(first, std::min(slice_size, order.size() - first)));
        }
        return results_.take();
    }

private:
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
        for (const auto row : rows) results_.try_row(row, true, [&] { require_visible(member, program_); });
        return !results_.is_refused(rows.front());
    }

    void book_slice(std::span<const std::size_t> numbers) {
        std::vector<ManyRow> rows;
        rows.reserve(numbers.size());
        for (const auto number : numbers) {
            if (results_.is_refused(number)) continue;
            results_.try_row(number, false, [&] {
                rows.push_back({number, rows_.posting(number, program_, time_zone_)});
            });
        }
        for (std::vector<ManyRow*> pending = all_of(rows); !pending.empty();) {
            std::vector<ManyRow*> plain, alone, later;
            part(pending, plain, alone, later);
            book_round(plain, alone);
            for (ManyRow* row : alone) results_.try_row(row->number, true, [&] { book_alone(*row); });
            pending = std::move(later);
        }
    }

    static std::vector<ManyRow*> all_of(std::vector<ManyRow>& rows) {
        std::vector<ManyRow*> all;
        for (auto& row : rows) all.push_back(&row);
        return all;
    }

    // Which rows can be booked together: of a member none behind one that has to be written before the next is decided
    // on.
    static void part(const std::vector<ManyRow*>& pending, std::vector<ManyRow*>& plain, std::vector<ManyRow*>& alone,
                     std::vector<ManyRow*>& later) {
        std::string_view member;
        bool closed = false, any = false;
        std::set<std::string_view> external_ids;
        for (ManyRow* row : pending) {
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
    void book_round(const std::vector<ManyRow*>& plain, std::vector<ManyRow*>& alone) {
        if (plain.empty()) return;
        if (!results_.skips()) return together_.book(plain, alone);
        const std::size_t alone_before = alone.size(), troubles_before = results_.troubles();
        const auto trouble = attempt([&] { together_.book(plain, alone); });
        if (!trouble) return;
        if (is_of_call(*trouble)) raise(*trouble);
        results_.forget(plain, troubles_before);
        alone.resize(alone_before);
        alone.insert(alone.end(), plain.begin(), plain.end());
    }

    void book_alone(const ManyRow& row) {
        const Booking booking = book(row.posting);
        if (!booking.repeated) insert_row(row.posting, booking);
        results_.note(row.number, booking);
    }

    const std::string program_;
    GivenRows& rows_;
    const std::string time_zone_;
    ManyResults results_;
    Together together_{program_, now(), results_};
};

}  // namespace

ManyOutcomes book_many(const std::string& program, GivenRows& rows, bool skips) {
    return ManyBookings(program, rows, skips).run();
}

}  // namespace loyalty::pg
