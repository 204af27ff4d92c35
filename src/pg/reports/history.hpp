// What happened in a program, step by step in the order of time: the orders, what became of them, and what was booked
// otherwise. At one moment bookings come before orders, and these before what became of any; orders by their own time,
// then by their ids.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "pg/server/cursor.hpp"
#include "pg/server/in_turn.hpp"

namespace loyalty::pg {

enum class StepKind : std::int32_t { booking, hold, order, status, giving_back };

struct Step {
    TimestampTz at = 0;
    StepKind kind = StepKind::order;
    std::string buyer;  // "m:" and the profile's key, or "g:" and the order's external id
    std::string order;  // external id
    std::optional<std::string> line;
    std::string status;  // that the order was placed with, or the order or line moved to

    // Of orders. An imported one happened at its own time.
    bool imported = false;
    TimestampTz time = 0;
    Datum total = 0;
    std::optional<Datum> request, resolved, result;
    std::int32_t version = 0;
    bool comes_back = false;                        // anything of it, later
    std::vector<std::string> codes, code_statuses;  // promo codes, and what became of them

    // Of bookings.
    std::string point_type, type;
    Datum value = 0;
    std::int64_t seq = 0;
    TimestampTz created_at = 0;
    std::optional<TimestampTz> active_from, expires_at;
    std::optional<std::int64_t> undoes;
    std::optional<std::string> source_type;

    // Of what was given back: the units of each line; or all that was left of the order, which ends it.
    std::vector<std::string> lines;
    std::vector<std::int64_t> quantities;  // by quantity_scale
    bool shipping = false;
    bool ends_order = false;
};

class History {
public:
    // Steps from the one moment on and before the other.
    History(const std::string& program, TimestampTz from, TimestampTz to);

    // The next steps; empty at the end. Their datums live until then.
    std::vector<Step> next();
    void close() { cursor_.close(); }

private:
    Cursor cursor_;
};

}  // namespace loyalty::pg
