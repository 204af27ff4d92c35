#include "codec/context_reader.hpp"

#include "codec/reading.hpp"
#include "core/error.hpp"

#include <algorithm>

namespace loyalty::codec {

namespace {

constexpr std::string_view keys = "balances, tiers, segments, promo_codes, orders, auto_calculate, with_drafts";

// Names that occur once each.
std::vector<std::string> read_names(const Json& array, const Place& place) {
    std::vector<std::string> names;
    for (std::size_t i = 0; i < as_array(array, place).items.size(); i++) {
        const Place at = place.item(i);
        std::string name = as_text(array.items[i], at);
        if (std::find(names.begin(), names.end(), name) != names.end()) {
            throw Error(sqlstate::duplicate_key, "invalid context: a name occurs twice",
                        "At " + at.path.to_string() + ", the value is \"" + name + "\".", "Give each name once.");
        }
        names.push_back(std::move(name));
    }
    return names;
}

std::vector<std::pair<std::string, Decimal>> read_balances(const Json& object, const Place& place) {
    std::vector<std::pair<std::string, Decimal>> balances;
    for (const auto& [key, value] : as_object(object, place).members)
        balances.emplace_back(std::string(key), as_decimal(value, place.member(key)));
    return balances;
}

OrdersDocument read_orders(const Json& object, const Place& place) {
    OrdersDocument orders;
    for (const auto& [key, value] : as_object(object, place).members) {
        const Place at = place.member(key);
        if (key == "count") {
            orders.count = as_decimal(value, at);
        } else if (key == "sum") {
            orders.sum = as_decimal(value, at);
        } else if (key == "last") {
            orders.last = as_text(value, at);
        } else {
            fail_unknown_key(key, value, place, "count, sum, last");
        }
    }
    return orders;
}

}  // namespace

TestContext read_context(std::string_view json) {
    const JsonDocument document(json);
    const Place place{"context", {}};
    TestContext context;
    for (const auto& [key, value] : as_object(document.root(), place).members) {
        const Place at = place.member(key);
        if (key == "auto_calculate") {
            context.auto_calculate = as_boolean(value, at);
            continue;
        }
        if (key == "with_drafts") {
            context.with_drafts = as_boolean(value, at);
            continue;
        }
        // Any of the others makes a member up.
        TestContext::Member& member = context.member ? *context.member : context.member.emplace();
        if (key == "balances") {
            member.balances = read_balances(value, at);
        } else if (key == "tiers") {
            member.tiers = read_names(value, at);
        } else if (key == "segments") {
            member.segments = read_names(value, at);
        } else if (key == "promo_codes") {
            member.promo_codes = read_names(value, at);
        } else if (key == "orders") {
            member.orders = read_orders(value, at);
        } else {
            fail_unknown_key(key, value, place, keys);
        }
    }
    return context;
}

}  // namespace loyalty::codec
