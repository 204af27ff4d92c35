// Texts with variables: "You save {{ totals.discount }}!". A variable is a path into the order, the line, the member or
// the totals of the result; what the documents lack is left empty.
//
//     order.external_id, .channel, .contact_point, .region, .currency, .time, .status, .fields.NAME
//     line.id, .product, .quantity, .base_price, .base, .discount, .points_discount, .allotted, .price, .total,
//         .name, .fields.NAME                  in texts for lines
//     member.key, .points.TYPE.FIGURE, .profile.COLUMN
//     totals.lines, .items, .benefits, .goods, .shipping, .base, .discount, .points_discount, .total
//     promo_code                               in messages about one: it stands until the code is issued
//
// Where a field or column is an object, further names lead into it.
#pragma once

#include "core/calculate/calculate.hpp"
#include "core/program/parameters.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace loyalty {

struct BenefitSetting;

class Template {
public:
    // What a text is about, and so which variables it may have.
    enum class Subject { line, order, promo_code };
    static constexpr std::size_t max_bytes = 4'000;

    // Reads the parameter `name`; LY301 for a variable that does not exist.
    Template(Parameters& parameters, std::string_view name, Subject subject, const BenefitSetting& setting);

    // The text for a line, or for the order (line = no_line), when all figures of `calculation` are final.
    std::string render(const Program& program, const Order& order, const Calculation& calculation,
                       std::uint32_t line) const;

private:
    enum class Source { literal, line, member_key, points, totals, product_value, order_value, profile_value };
    struct Piece {
        Source source = Source::literal;
        std::string text;        // of a literal
        std::size_t number = 0;  // of the figure, or of the value in Program::reads
        std::uint32_t type = no_point_type;
    };
    class Reader;

    std::vector<Piece> pieces_;
};

}  // namespace loyalty
