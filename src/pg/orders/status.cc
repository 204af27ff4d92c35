// loyalty_set_order_status: what an order's, or a line's, new status brings about.
#include "pg/orders/status.hpp"

#include "pg/events/outbox.hpp"
#include "pg/ledger/store.hpp"
#include "pg/orders/points.hpp"
#include "pg/orders/returns.hpp"
#include "pg/server/arguments.hpp"
#include "pg/server/guarded_writing.hpp"
#include "pg/server/jsonb.hpp"
#include "pg/server/owner.hpp"

namespace loyalty::pg {

namespace {

std::string status_of_line(const LockedOrder& order, const std::string& line) {
    static Query query(
        "SELECT status FROM loyalty.order_lines WHERE buyer = $1 AND program = $2 AND order_id = $3 AND line = $4",
        {TEXTOID, TEXTOID, TEXTOID, TEXTOID});
    const OrderArguments key(order.key);
    const FreshSnapshot snapshot;
    const Rows rows = query.run({key.buyer, key.program, key.external_id, text_argument(line)});
    if (rows.size() == 0) fail_unknown_line(order, line);
    return rows.text(0, 1);
}

bool is_final(StatusKind kind) { return kind == StatusKind::cancelled || kind == StatusKind::refunded; }

class StatusChange {
public:
    StatusChange(const LockedOrder& order, std::string status, std::optional<std::string> line)
        : order_(order), status_(std::move(status)), line_(std::move(line)) {}

    Datum run(MemoryContext into) {
        const Status& status = find_status();
        before_ = line_ ? status_of_line(order_, *line_) : order_.status;
        if (is_final(kind_of(order_.market(), before_))) {
            if (status_ != before_)
                fail_final(line_ ? "line \"" + *line_ + "\" of " + order_.shown() : order_.shown(), before_);
            return line_ ? answer(into) : with_repeated(last_answer(order_), true, into);
        }
        if (is_final(status.kind)) return end(status.kind, into);
        move_to_status(order_, status_, line_);
        credit_accruals(order_.key, order_.market(), booked_);
        if (status_ != before_) tell();
        if (!booked_.empty()) judge_buyer(order_.key, *order_.current.live);
        return answer(into);
    }

private:
    const Status& find_status() const {
        const auto found = order_.market().statuses.find(status_);
        if (found != order_.market().statuses.end()) return found->second;
        throw Error(sqlstate::unknown_status, "status \"" + status_ + "\" does not exist", {},
                    "Add it to loyalty.order_statuses, or name one of these.");
    }

    Datum end(StatusKind kind, MemoryContext into) const {
        Return left;
        left.kind = kind == StatusKind::cancelled ? Return::Kind::cancellation : Return::Kind::refund;
        left.line = line_;
        left.shipping = kind == StatusKind::cancelled && !line_;
        left.status = status_;
        return with_repeated(give_back(order_, left), false, into);
    }

    void write_what(JsonbWriter& out) const {
        out.begin_object();
        out.key("order");
        out.text(order_.key.external_id);
        if (line_) {
            out.key("line");
            out.text(*line_);
        }
        out.key("status");
        out.text(status_);
        out.key("status_before");
        out.text(before_);
    }

    void tell() const {
        JsonbWriter data;
        write_what(data);
        data.end_object();
        add_event(order_.key.program, "order_status_changed", order_.key.profile(), data.take());
    }

    Datum answer(MemoryContext into) const {
        JsonbWriter out;
        write_what(out);
        out.key("booked");
        write_booked(out, booked_, order_.market().time_zone);
        out.end_object();
        return with_repeated(out.take(), status_ == before_, into);
    }

    const LockedOrder& order_;
    const std::string status_;
    const std::optional<std::string> line_;
    std::string before_;
    BookedRows booked_;
};

}  // namespace

void move_to_status(const LockedOrder& order, const std::string& status, const std::optional<std::string>& line) {
    static Query one(
        "UPDATE loyalty.order_lines SET status = $4"
        " WHERE buyer = $1 AND program = $2 AND order_id = $3 AND line = $5 AND status <> $4",
        {TEXTOID, TEXTOID, TEXTOID, TEXTOID, TEXTOID});
    static Query all(
        "WITH moved AS ("
        "    UPDATE loyalty.order_lines l SET status = $4 FROM loyalty.order_statuses s"
        "     WHERE l.buyer = $1 AND l.program = $2 AND l.order_id = $3 AND l.status <> $4"
        "       AND s.external_id = l.status AND s.kind IN ('open', 'delivered'))"
        " UPDATE loyalty.orders SET status = $4"
        "  WHERE buyer = $1 AND program = $2 AND external_id = $3 AND status <> $4",
        {TEXTOID, TEXTOID, TEXTOID, TEXTOID});
    const OrderArguments key(order.key);
    if (line) {
        one.run({key.buyer, key.program, key.external_id, text_argument(status), text_argument(*line)}, true);
    } else {
        all.run({key.buyer, key.program, key.external_id, text_argument(status)}, true);
    }
}

}  // namespace loyalty::pg

extern "C" {
PG_FUNCTION_INFO_V1(loyalty_set_order_status);
Datum loyalty_set_order_status(PG_FUNCTION_ARGS) {
    using namespace loyalty::pg;
    return guarded([&]() -> Datum {
        const MemoryContext into = CurrentMemoryContext;
        const Arguments given(fcinfo);
        const AsOwner as_owner = AsOwner::writing();
        const Spi connection;
        const GuardedWriting writing;
        const LockedOrder order = lock_order(given.required(0, "program"), given.required(1, "external_id"));
        return StatusChange(order, given.required(2, "status"), given.text(3)).run(into);
    });
}
}
