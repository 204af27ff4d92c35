// loyalty_place_order: a quote that is stored and booked, in the caller's transaction.
//
// Locks are taken in the same order by everything that changes orders, and all before the calculation: the buyer's
// balances, the order's id, promo codes, the counters of promotions by their id. So what was calculated still holds
// when it is booked, and nobody waits for each other.
#include "codec/order_reader.hpp"
#include "codec/resolved_order.hpp"

#include <algorithm>
#include <set>

#include "pg/events/outbox.hpp"
#include "pg/ledger/named.hpp"
#include "pg/ledger/store.hpp"
#include "pg/members/profile.hpp"
#include "pg/members/visible.hpp"
#include "pg/orders/buyers.hpp"
#include "pg/orders/contact.hpp"
#include "pg/orders/placed.hpp"
#include "pg/orders/promo_codes.hpp"
#include "pg/orders/time.hpp"
#include "pg/orders/usage.hpp"
#include "pg/server/arguments.hpp"
#include "pg/server/clock.hpp"
#include "pg/server/days.hpp"
#include "pg/server/guarded_writing.hpp"
#include "pg/server/in_turn.hpp"
#include "pg/server/memory.hpp"
#include "pg/server/owner.hpp"

namespace loyalty::pg {

namespace {

[[noreturn]] void fail(std::string_view code, const std::string& what, const std::string& detail,
                       const std::string& hint) {
    throw Error(code, "invalid order: " + what, detail, hint);
}

class Placing {
public:
    Placing(Datum request, Oid caller)
        : caller_(caller),
          document_(codec::read_order(document_text(request))),
          request_(without_keys(request, {"expected_total", "detail"})),
          status_(document_.status.value_or("new")) {
        if (!document_.external_id) {
            fail(sqlstate::missing_key, "the key \"external_id\" is missing", "At $.",
                 "Give the order an id of your own, unique in the program.");
        }
        check_order_ids(document_);
    }

    Datum run(MemoryContext into) {
        current_ = current_program(document_.program);
        key_.program = market().program;
        key_.external_id = *document_.external_id;
        // Whom an address meant is settled when the order is placed; it may be somebody else's by now.
        if (document_.contact) {
            if (const auto first = first_answer(into)) {
                require_visible_buyer(key_.program, key_.external_id);
                return *first;
            }
            look_up_member(document_, key_.program, caller_);
        }
        find_key();
        if (const auto first = first_answer(into)) return *first;
        lock_balances(key_);
        if (!claim_id()) {
            if (const auto first = first_answer(into)) return *first;
            throw Error(sqlstate::data_corrupted, "the id of the order was used, and its answer is not stored", {},
                        "See SELECT * FROM loyalty_verify().");
        }
        if (current_.version->needs.orders_before) lock_buyer(key_);
        calculate();
        check();
        const GuardedWriting writing;
        const EventBatch events(key_.program, key_.profile());
        std::optional<Silence> silence;
        if (!document_.fires) silence.emplace();
        book();
        const Datum placed = store(into);
        count_uses(key_, quote_.program(), quote_.order, quote_.calculation);
        tell();
        silence.reset();
        EventBatch::flush();
        judge_buyer(key_, *current_.live);
        return placed;
    }

private:
    const Market& market() const { return current_.live->market; }

    // The key under which the order is kept. A profile that does not exist is found out by the calculation.
    void find_key() {
        if (!document_.member) {
            key_.buyer = "g:" + key_.external_id;
            return;
        }
        const LiveProgram& live = *current_.live;
        const auto profile =
            live.profiles.bundled ? document_.member : find_profile(live.profiles, *document_.member, caller_);
        if (!profile) require_visible(*document_.member, key_.program);
        key_.buyer = "m:" + profile.value_or(*document_.member);
    }

    // What the answer has not, of what is stored.
    std::vector<std::string> left_out() const {
        std::vector<std::string> keys;
        if (document_.detail < Detail::full) keys.emplace_back("operations");
        if (document_.detail < Detail::lines) keys.insert(keys.end(), {"lines", "texts"});
        return keys;
    }

    std::optional<Datum> first_answer(MemoryContext into) const {
        static Query query(
            "SELECT o.origin = 'placed'"
            "       AND coalesce(o.request = $3, o.request_hash = jsonb_hash_extended($3, 0)),"
            "       o.placed_at, (CASE WHEN o.request IS NULL THEN '{}' ELSE coalesce(o.result, '{}')"
            "           END || coalesce(o.confirmation, '{}') || jsonb_build_object('repeated', true)) - $4"
            "  FROM loyalty.order_ids i"
            "  JOIN loyalty.orders o ON o.buyer = i.buyer AND o.program = i.program AND o.external_id = i.external_id"
            " WHERE i.external_id = $1 AND i.program = $2",
            {TEXTOID, TEXTOID, JSONBOID, TEXTARRAYOID});
        const FreshSnapshot snapshot;
        const Rows rows = query.run(
            {text_argument(key_.external_id), text_argument(key_.program), {request_, false},
             texts_argument(left_out())});
        if (rows.size() == 0) return std::nullopt;
        ColumnsInTurn columns(rows);
        const bool is_equal = columns.boolean();
        const TimestampTz placed_at = columns.timestamp();
        if (!is_equal) {
            throw Error(sqlstate::order_id_taken,
                        "external id \"" + key_.external_id + "\" was used for another order",
                        "It was placed at " + show_time(placed_at, market().time_zone) + ", with other content.",
                        "Repeat a request with exactly the same content, or use a new id.");
        }
        return copy_out(columns.datum(JSONBOID), into);
    }

    // False if another transaction has placed an order with the id meanwhile.
    bool claim_id() const {
        static Query query(
            "INSERT INTO loyalty.order_ids (external_id, program, buyer) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING"
            " RETURNING true",
            {TEXTOID, TEXTOID, TEXTOID}, {"order_ids_program_fkey"});
        const OrderArguments key(key_);
        const GuardedWriting writing;
        const std::initializer_list<Argument> arguments = {key.external_id, key.program, key.buyer};
        // A program that has a member stays, and this one's row is locked.
        const Rows rows = key_.removed ? query.run_proven(arguments) : query.run(arguments, true);
        return rows.size() == 1;
    }

    void calculate() {
        const FreshSnapshot snapshot;
        quote_ = make_quote(document_, Edition::in_force(), caller_, {.binding = true});
    }

    void check() const {
        const auto found = market().statuses.find(status_);
        if (found == market().statuses.end()) {
            fail(sqlstate::unknown_status, "the status is not known to the program",
                 "At $.status, the value is \"" + status_ + "\".",
                 "Add it to loyalty.order_statuses, or give another \"status\".");
        }
        if (found->second.kind == StatusKind::cancelled || found->second.kind == StatusKind::refunded) {
            fail(sqlstate::unusable_status, "the status is final", "At $.status, the value is \"" + status_ + "\".",
                 "Place it with a status of kind open or delivered.");
        }
        if (quote_.at && *quote_.at > now()) {
            fail(sqlstate::time_in_future, "the time lies in the future",
                 "At $.time, the value is " + quote_.time + ".",
                 "Orders are placed at their time or later; quotes may look ahead.");
        }
        check_total();
    }

    void check_total() const {
        const auto& expected = document_.expected_total;
        const Decimal total = Decimal::of(quote_.calculation.total.units, quote_.program().currency_scale);
        if (!expected || *expected == total) return;
        throw Error(sqlstate::unexpected_total, "the order's total is not the expected one",
                    "Expected is " + expected->to_string() + ", the total is " + total.to_string() + ".",
                    "Show the buyer the new total, and place the order with that.");
    }

    // -----------------------------------------------------------------------------------------------------------------
    // Storing

    // Answers with what is told the first time.
    Datum store(MemoryContext into) const {
        write_placed(
            {key_, quote_, status_, request_, resolved(), quote_result(quote_), confirmation(), payments_, accruals_});
        JsonbWriter answer;
        answer.begin_object();
        write_quote_members(answer, quote_, document_.detail);
        write_confirmation(answer);
        answer.key("repeated");
        answer.boolean(false);
        answer.end_object();
        return answer.take(into);
    }

    Datum resolved() const {
        std::vector<std::string_view> credited;
        const auto add = [&](std::string_view name) {
            if (market().is_credited(status_, name)) credited.push_back(name);
        };
        for (const auto& [name, known] : market().statuses) add(name);
        for (const std::string_view kind : {"open", "delivered"}) {
            if (!market().statuses.contains(std::string(kind))) add(kind);
        }
        std::sort(credited.begin(), credited.end());
        JsonbWriter out;
        codec::write_resolved_order(out, quote_.program(), quote_.order, credited);
        return out.take();
    }

    // What the operations name is kept for them, or locked; false if it may not be that all point types are there.
    bool keep_named() const {
        if (quote_.calculation.operations.empty()) return true;
        std::set<std::string> promotions, point_types;
        const Program& program = quote_.program();
        for (const auto& operation : quote_.calculation.operations) {
            const Entry& entry = operation.entry;
            promotions.insert(
                program.promotions[program.conditions[program.benefits[entry.benefit].condition].promotion].id);
            if (entry.point_type != no_point_type) point_types.insert(program.point_types[entry.point_type].id);
        }
        keep_promotions(key_.program, promotions);
        return lock_named(key_.program, {}, point_types);
    }

    // -----------------------------------------------------------------------------------------------------------------
    // Booking

    void book() {
        const Program& program = quote_.program();
        key_.named_locked = keep_named();
        use_promo_codes(key_, quote_.order, quote_.calculation);
        issued_ = issue_promo_codes(key_, program, quote_.calculation);
        payments_ = spend_points(key_, program, quote_.order, quote_.calculation, booked_);
        accruals_ = earn_points(key_, program, quote_.order, quote_.calculation, status_, booked_);
    }

    void tell() const {
        JsonbWriter data;
        data.begin_object();
        data.key("order");
        data.text(key_.external_id);
        data.key("status");
        data.text(status_);
        data.key("total");
        data.number(quote_.calculation.total.units, quote_.program().currency_scale);
        data.end_object();
        add_event(key_.program, "order_placed", key_.profile(), data.take());
    }

    static void write_issued(codec::JsonWriter& out, const IssuedCode& issued) {
        const auto text = [&](std::string_view key, std::string_view value) {
            out.key(key);
            out.text(value);
        };
        out.begin_object();
        text("pool", issued.pool);
        if (issued.code) text("code", *issued.code);
        text("status", issued.code ? "issued" : "pool_is_empty");
        if (!issued.message.empty()) text("message", issued.message);
        text("promotion", issued.promotion);
        text("promotion_name", issued.promotion_name);
        out.end_object();
    }

    // What the answer tells beside the result, as it is stored.
    Datum confirmation() const {
        JsonbWriter out;
        out.begin_object();
        write_confirmation(out);
        out.end_object();
        return out.take();
    }

    void write_confirmation(JsonbWriter& out) const {
        const std::string& time_zone = quote_.program().time_zone;
        out.key("status");
        out.text(status_);
        out.key("placed_at");
        out.text(out.keep(show_time(now(), time_zone)));
        out.key("booked");
        write_booked(out, booked_, time_zone);
        out.key("issued");
        out.begin_array();
        for (const auto& code : issued_) write_issued(out, code);
        out.end_array();
    }

    const Oid caller_;
    OrderDocument document_;
    // What of the document is the order's own: neither what was expected of its price, nor how much is answered.
    const Datum request_;
    const std::string status_;
    CurrentProgram current_;
    OrderKey key_;
    Quote quote_;
    BookedRows booked_;
    PlacedPayments payments_;
    PlacedAccruals accruals_;
    std::vector<IssuedCode> issued_;
};

}  // namespace

}  // namespace loyalty::pg

extern "C" {
PG_FUNCTION_INFO_V1(loyalty_place_order);
Datum loyalty_place_order(PG_FUNCTION_ARGS) {
    using namespace loyalty::pg;
    return guarded([&]() -> Datum {
        const CalculationMemory memory;
        const MemoryContext into = CurrentMemoryContext;
        Placing placing(PG_GETARG_DATUM(0), GetUserId());
        const AsOwner as_owner = AsOwner::writing();
        const Spi connection;
        return placing.run(into);
    });
}
}
