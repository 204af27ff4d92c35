#include "core/order/resolve.hpp"

#include "core/error.hpp"

#include <algorithm>
#include <cstdio>

namespace loyalty {

namespace {

[[noreturn]] void fail(std::string_view code, const std::string& path, const std::string& value,
                       const std::string& what, const std::string& hint) {
    throw Error(code, "invalid order: " + what, "At " + path + ", the value is " + value + ".", hint);
}

std::string quoted(const std::string& text) { return "\"" + text + "\""; }

// Where a value stands in the document. There are as many as values, so that they are put into words only where one is
// complained of.
struct Place {
    const char* member;
    std::optional<std::size_t> line{};  // whose member it is; nothing: the order's

    std::string describe() const { return (line ? line_path(*line) : "$") + member; }
};

[[noreturn]] void fail(std::string_view code, const Place& place, const std::string& value, const std::string& what,
                       const std::string& hint) {
    fail(code, place.describe(), value, what, hint);
}

std::int64_t units_of(const Decimal& amount, int scale, const Place& place, const char* too_fine) {
    if (amount.is_negative()) {
        fail(sqlstate::value_out_of_range, place, amount.to_string(), "an amount of money is negative",
             "Give an amount of 0 or more.");
    }
    if (amount.scale() > scale) {
        fail(sqlstate::too_many_decimals, place, amount.to_string(), too_fine,
             "Give at most " + std::to_string(scale) + " decimals.");
    }
    const auto units = amount.units(scale);
    if (!units) {
        fail(sqlstate::value_out_of_range, place, amount.to_string(), "an amount of money is too large",
             "Amounts have at most 18 digits.");
    }
    return *units;
}

Money money(const Decimal& amount, const Program& program, const Place& place) {
    return {units_of(amount, program.currency_scale, place, "an amount of money has more decimals than the currency")};
}

UnitPrice price(const Decimal& amount, const Program& program, const Place& place) {
    return program.price(
        units_of(amount, program.price_scale, place, "a price has more decimals than prices of the program"));
}

Quantity quantity(const Decimal& amount, const Place& place) {
    if (amount.is_negative() || amount.is_zero()) {
        fail(sqlstate::value_out_of_range, place, amount.to_string(), "a quantity is not positive",
             "Give a quantity above 0; returned goods are no lines of an order.");
    }
    if (amount.scale() > quantity_scale) {
        fail(sqlstate::too_many_decimals, place, amount.to_string(), "a quantity has too many decimals",
             "Give at most " + std::to_string(quantity_scale) + " decimals.");
    }
    const auto units = amount.units(quantity_scale);
    if (!units) {
        fail(sqlstate::value_out_of_range, place, amount.to_string(), "a quantity is too large",
             "Quantities have at most 12 digits before the point.");
    }
    return {*units};
}

Money base_total(const Line& line, const Place& place) {
    try {
        return times(line.price, line.quantity);
    } catch (const Error&) {
        const auto price = Decimal(line.price.units).to_string(),
                   quantity = Decimal::of(line.quantity.units, quantity_scale).to_string();
        fail(sqlstate::amount_overflow, place, price + " smallest units of a price times " + quantity,
             "the total of a line is too large", "Amounts have at most 18 digits.");
    }
}

Line resolve_line(const LineDocument& from, std::size_t index, const Program& program, const Product& product) {
    const auto at = [&](const char* member) { return Place{member, index}; };
    Line line;
    line.position = static_cast<std::uint32_t>(index);
    if (from.id) {
        line.id = *from.id;
    } else {
        char id[24];
        std::snprintf(id, sizeof id, "%05zu", index + 1);
        line.id = id;
    }
    line.product = from.product;
    line.name = from.name.value_or(product.name);
    line.quantity = quantity(from.quantity, at(".quantity"));
    if (from.price) {
        line.price = price(*from.price, program, at(".price"));
    } else if (product.price) {
        line.price = price(*product.price, program, at(".product"));
    } else {
        fail(sqlstate::unknown_product, at(".product"), quoted(from.product),
             product.known ? "a product has no price" : "a product is not in the catalogue and has no price",
             "Give the line a \"price\", or add the product to loyalty.products.");
    }
    line.base = base_total(line, at(""));
    if (from.min_price) line.min_price = price(*from.min_price, program, at(".min_price"));
    if (!from.min_price && product.min_price)
        line.min_price = price(*product.min_price, program, at(".product"));
    return line;
}

std::vector<Redeem> resolve_redeem(const OrderDocument& document, const Program& program) {
    std::vector<Redeem> result;
    std::unordered_set<std::string> seen;
    for (std::size_t i = 0; i < document.redeem.size(); i++) {
        const auto& from = document.redeem[i];
        const std::string path = "$.redeem[" + std::to_string(i) + "]";
        if (!seen.insert(from.points).second) {
            fail(sqlstate::duplicate_key, path + ".points", quoted(from.points), "a point type is redeemed twice",
                 "Name each point type once.");
        }
        const Index type = program.point_type(from.points);
        // A type that the applied version does not have yet can pay for nothing.
        if (type == none) continue;
        Redeem redeem{type, std::nullopt};
        if (from.amount) {
            const int scale = program.point_types[type].scale;
            const auto units = from.amount->units(scale);
            if (from.amount->scale() > scale) {
                fail(sqlstate::too_many_decimals, path + ".amount", from.amount->to_string(),
                     "an amount of points has more decimals than their type",
                     "Give at most " + std::to_string(scale) + " decimals.");
            }
            if (from.amount->is_negative() || !units) {
                fail(sqlstate::value_out_of_range, path + ".amount", from.amount->to_string(),
                     "an amount of points is out of range",
                     "Give \"max\" or a number of 0 or more, of at most 18 digits.");
            }
            redeem.amount = Points{*units};
        }
        result.push_back(redeem);
    }
    return result;
}

void check_ids(const std::vector<Line>& lines) {
    const auto twice =
        std::adjacent_find(lines.begin(), lines.end(), [](const Line& a, const Line& b) { return a.id == b.id; });
    if (twice == lines.end()) return;
    const auto later = std::max(twice->position, std::next(twice)->position);
    fail(sqlstate::duplicate_key, line_path(later) + ".id", quoted(twice->id), "two lines have the same id",
         "Give each line an id of its own, or none: the default is its position, such as \"00001\".");
}

template <class Known>
void check_known(const std::optional<std::string>& value, const Known& known, std::string_view code, const char* key,
                 const char* noun, const char* table) {
    if (value && !known.contains(*value)) {
        fail(code, std::string("$.") + key, quoted(*value), std::string(noun) + " is not known to the program",
             std::string("Add it to loyalty.") + table + ", or leave \"" + key + "\" out.");
    }
}

}  // namespace

std::string line_path(std::size_t index) { return "$.lines[" + std::to_string(index) + "]"; }

bool Market::is_credited(std::string_view status, std::string_view credit_on) const {
    const auto now = statuses.find(std::string(status));
    const auto wanted = statuses.find(std::string(credit_on));
    if (now == statuses.end()) return status == credit_on;
    if (now->second.kind == StatusKind::cancelled || now->second.kind == StatusKind::refunded) return false;
    // Kind before position: whatever an open status comes after, the goods are still on their way.
    if (wanted != statuses.end() && wanted->second.kind == StatusKind::delivered &&
        now->second.kind != StatusKind::delivered)
        return false;
    if (wanted != statuses.end()) return now->second.position >= wanted->second.position;
    return (credit_on == "open") || (credit_on == "delivered" && now->second.kind == StatusKind::delivered);
}

void check_active(const Market& market) {
    if (market.active) return;
    throw Error(sqlstate::inactive_program, "program \"" + market.program + "\" is not active", {},
                "Activate it with UPDATE loyalty.programs SET active = true.");
}

void check_references(const OrderDocument& document, const Program& program, const Market& market) {
    if (document.currency && *document.currency != program.currency) {
        fail(sqlstate::unknown_currency, "$.currency", quoted(*document.currency), "the currency is not the program's",
             "The program calculates in \"" + program.currency + "\".");
    }
    check_known(document.channel, market.channels, sqlstate::unknown_channel, "channel", "the channel", "channels");
    check_known(document.contact_point, market.contact_points, sqlstate::unknown_contact_point, "contact_point",
                "the contact point", "contact_points");
    if (document.contact_point && document.channel &&
        market.contact_points.at(*document.contact_point) != *document.channel) {
        fail(sqlstate::unknown_contact_point, "$.contact_point", quoted(*document.contact_point),
             "the contact point belongs to another channel",
             "Its channel is \"" + market.contact_points.at(*document.contact_point) + "\".");
    }
    check_known(document.region, market.regions, sqlstate::unknown_region, "region", "the region", "regions");
    check_known(document.status, market.statuses, sqlstate::unknown_status, "status", "the status", "order_statuses");
    for (std::size_t i = 0; i < document.redeem.size(); i++) {
        if (!market.point_types.contains(document.redeem[i].points)) {
            fail(sqlstate::unknown_point_type, "$.redeem[" + std::to_string(i) + "].points",
                 quoted(document.redeem[i].points), "the point type is not known to the program",
                 "Name one of loyalty.point_types.");
        }
    }
}

void resolve_place(Order& order, const OrderDocument& document, const Market& market) {
    order.contact_point = document.contact_point.value_or("");
    order.region = document.region.value_or("");
    if (document.channel) {
        order.channel = *document.channel;
    } else if (document.contact_point) {
        order.channel = market.contact_points.at(*document.contact_point);
    }
}

void find_partner_products(Order& order, const Program& program, std::int32_t today) {
    if (program.partner_products.empty()) return;
    for (auto& line : order.lines) {
        const auto found = program.partner_product_of.find(line.product);
        if (found == program.partner_product_of.end()) continue;
        const Partner& partner = program.partners[program.partner_products[found->second].partner];
        if (!partner.starts_on || *partner.starts_on <= today) line.partner_product = found->second;
    }
}

Order resolve(const OrderDocument& document, const Program& program, const std::vector<Product>& products,
              std::vector<std::vector<std::uint32_t>> segments, Buyer buyer) {
    Order order;
    order.lines.reserve(document.lines.size());
    for (std::size_t i = 0; i < document.lines.size(); i++) {
        Line line = resolve_line(document.lines[i], i, program, products[i]);
        line.segments = std::move(segments[i]);
        order.lines.push_back(std::move(line));
    }
    const auto by_id = [](const Line& a, const Line& b) { return a.id < b.id; };
    if (!std::is_sorted(order.lines.begin(), order.lines.end(), by_id))
        std::sort(order.lines.begin(), order.lines.end(), by_id);
    check_ids(order.lines);
    if (document.shipping) order.shipping = money(*document.shipping, program, Place{".shipping"});
    if (document.total) order.total = money(*document.total, program, Place{".total"});
    order.redeem = resolve_redeem(document, program);
    order.buyer = std::move(buyer);
    return order;
}

}  // namespace loyalty
