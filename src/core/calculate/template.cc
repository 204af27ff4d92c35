#include "core/calculate/template.hpp"

#include "core/calculate/benefit.hpp"
#include "core/order/order.hpp"
#include "core/program/program.hpp"

#include <algorithm>
#include <array>
#include <iterator>
#include <span>

namespace loyalty {

namespace {

constexpr std::string_view line_figures[] = {"id",       "product",         "quantity", "base_price", "base",
                                             "discount", "points_discount", "allotted", "price",      "total"};
constexpr std::string_view totals_figures[] = {"lines",    "items", "benefits", "goods",          "shipping",
                                               "discount", "base",  "total",    "points_discount"};
constexpr std::string_view points_figures[] = {"total_before", "active_before", "spent",       "accrued",
                                               "pending",      "total_after",   "active_after"};
constexpr std::string_view order_members[] = {"external_id", "channel", "contact_point", "region",
                                              "currency",    "time",    "status"};
constexpr std::string_view promo_code = "promo_code";

std::optional<std::size_t> find(std::span<const std::string_view> names, std::string_view wanted) {
    const auto found = std::find(names.begin(), names.end(), wanted);
    if (found == names.end()) return std::nullopt;
    return static_cast<std::size_t>(found - names.begin());
}

// The names between the dots.
std::vector<std::string> split(std::string_view path) {
    std::vector<std::string> names(1);
    for (const char c : path) {
        if (c == '.') {
            names.emplace_back();
        } else {
            names.back() += c;
        }
    }
    return names;
}

std::string_view trimmed(std::string_view text) {
    constexpr std::string_view blanks = " \t\r\n";
    const auto first = text.find_first_not_of(blanks);
    if (first == text.npos) return {};
    return text.substr(first, text.find_last_not_of(blanks) - first + 1);
}

void append_quantity(std::string& out, Quantity quantity) {
    out += Decimal::of(quantity.units, quantity_scale).to_string();
}

// Writes figures as the result document does.
class Renderer {
public:
    Renderer(const Program& program, const Order& order, const Calculation& calculation)
        : program_(program), order_(order), calculation_(calculation) {}

    void add_line_figure(std::size_t figure, std::uint32_t index) {
        const Line& line = order_.lines[index];
        const LineResult& result = calculation_.lines[index];
        switch (figure) {
            case 0:
                out += line.id;
                break;
            case 1:
                out += line.product;
                break;
            case 2:
                append_quantity(out, line.quantity);
                break;
            case 3:
                add(line.price);
                break;
            case 8:
                add(result.unit_price(line));
                break;
            default: {
                const Money figures[] = {result.base, result.discount, result.points_discount, result.allotted};
                add(figure == 9 ? result.total : figures[figure - 4]);
            }
        }
    }

    void add_totals_figure(std::size_t figure) {
        const LineResult all = calculation_.all();
        switch (figure) {
            case 0:
                out += std::to_string(order_.lines.size());
                break;
            case 1:
                append_quantity(out, items(order_));
                break;
            case 2:
                out += std::to_string(calculation_.benefits);
                break;
            default: {
                const Money figures[] = {
                    calculation_.goods.total, calculation_.shipping.total, all.discount, all.base, all.total,
                    all.points_discount};
                add(figures[figure - 3]);
            }
        }
    }

    // Only members have points.
    void add_points_figure(std::size_t figure, std::uint32_t type) {
        if (order_.buyer.kind != BuyerKind::member) return;
        const Balance& before = order_.buyer.balances[type];
        const PointsResult& result = calculation_.points[type];
        const Balance after = result.after(before);
        const Points figures[] = {before.total,   before.active, result.spent, result.accrued,
                                  result.pending, after.total,   after.active};
        append_decimal(out, figures[figure].units, program_.point_types[type].scale);
    }

    void add_value(const std::vector<Value>& values, std::size_t number) {
        if (number < values.size()) out += values[number].text;
    }

    std::string out;

private:
    void add(UnitPrice price) { append_decimal(out, price.units, program_.price_scale); }
    void add(Money amount) { append_decimal(out, amount.units, program_.currency_scale); }

    const Program& program_;
    const Order& order_;
    const Calculation& calculation_;
};

}  // namespace

class Template::Reader {
public:
    Reader(Parameters& parameters, std::string_view name, Subject subject, const BenefitSetting& setting)
        : parameters_(parameters), name_(name), subject_(subject), setting_(setting) {}

    std::vector<Piece> run() {
        parameters_.require(name_);
        const std::string text = *parameters_.text(name_);
        if (text.size() > max_bytes)
            parameters_.fail(name_, text.substr(0, 20) + "...",
                             "a text of at most " + std::to_string(max_bytes) + " bytes");
        std::string_view rest = text;
        while (true) {
            const auto open = rest.find("{{");
            add_literal(rest.substr(0, open));
            if (open == rest.npos) return std::move(pieces_);
            const auto close = rest.find("}}", open);
            if (close == rest.npos) parameters_.fail(name_, text, "a text in which every {{ is closed by }}");
            add_variable(std::string(trimmed(rest.substr(open + 2, close - open - 2))));
            rest.remove_prefix(close + 2);
        }
    }

private:
    void add_literal(std::string_view text) {
        if (!text.empty()) pieces_.push_back({Source::literal, std::string(text)});
    }

    void add(Source source, std::size_t number, std::uint32_t type = no_point_type) {
        pieces_.push_back({source, {}, number, type});
    }

    void add_variable(const std::string& path) {
        std::vector<std::string> names = split(path);
        const std::string root = names.front();
        names.erase(names.begin());
        const bool named =
            !names.empty() && std::none_of(names.begin(), names.end(), [](auto& n) { return n.empty(); });
        if (subject_ == Subject::promo_code && path == promo_code) return add_literal("{{ promo_code }}");
        if (named && root == "order" && add_of_order(names)) return;
        if (named && root == "line" && subject_ == Subject::line && add_of_line(names)) return;
        if (named && root == "member" && add_of_member(names)) return;
        if (named && root == "totals" && names.size() == 1) {
            if (const auto figure = find(totals_figures, names[0])) return add(Source::totals, *figure);
        }
        parameters_.fail(name_, "{{ " + path + " }}", expected());
    }

    bool add_of_order(const std::vector<std::string>& names) {
        const bool is_member = names.size() == 1 && find(order_members, names[0]);
        if (!is_member && !is_field(names)) return false;
        add(Source::order_value, number_in(setting_.reads ? &setting_.reads->order : nullptr, names));
        return true;
    }

    bool add_of_line(const std::vector<std::string>& names) {
        if (names.size() == 1 && names[0] != "name") {
            const auto figure = find(line_figures, names[0]);
            if (figure) add(Source::line, *figure);
            return figure.has_value();
        }
        if (names[0] != "name" && !is_field(names)) return false;
        add(Source::product_value, number_in(setting_.reads ? &setting_.reads->product : nullptr, names));
        return true;
    }

    bool add_of_member(const std::vector<std::string>& names) {
        if (names.size() == 1 && names[0] == "key") {
            add(Source::member_key, 0);
            return true;
        }
        if (names.size() >= 2 && names[0] == "profile") {
            const std::vector<std::string> path(names.begin() + 1, names.end());
            add(Source::profile_value, number_in(setting_.reads ? &setting_.reads->profile : nullptr, path));
            return true;
        }
        if (names.size() != 3 || names[0] != "points") return false;
        const auto figure = find(points_figures, names[2]);
        const auto type = point_type(names[1]);
        if (figure && type) add(Source::points, *figure, *type);
        return figure && type;
    }

    static bool is_field(const std::vector<std::string>& names) { return names.size() >= 2 && names[0] == "fields"; }

    // Any, as long as the types are not known.
    std::optional<std::uint32_t> point_type(const std::string& id) const {
        if (!setting_.point_types) return no_point_type;
        for (std::uint32_t i = 0; i < setting_.point_types->size(); i++) {
            if ((*setting_.point_types)[i].id == id) return i;
        }
        return std::nullopt;
    }

    static std::size_t number_in(std::vector<Reads::Path>* paths, const Reads::Path& path) {
        return paths ? read_path(*paths, path) : 0;
    }

    std::string expected() const {
        std::string text =
            "a variable such as {{ totals.total }}, {{ order.channel }}, {{ order.fields.NAME }}, {{ member.key }}";
        if (subject_ == Subject::line) text += ", {{ line.total }}, {{ line.fields.NAME }}";
        if (subject_ == Subject::promo_code) text += ", {{ promo_code }}";
        return text + "; the reference lists them all";
    }

    Parameters& parameters_;
    std::string_view name_;
    Subject subject_;
    const BenefitSetting& setting_;
    std::vector<Piece> pieces_;
};

Template::Template(Parameters& parameters, std::string_view name, Subject subject, const BenefitSetting& setting)
    : pieces_(Reader(parameters, name, subject, setting).run()) {}

std::string Template::render(const Program& program, const Order& order, const Calculation& calculation,
                             std::uint32_t line) const {
    Renderer renderer(program, order, calculation);
    for (const auto& piece : pieces_) {
        switch (piece.source) {
            case Source::literal:
                renderer.out += piece.text;
                break;
            case Source::line:
                renderer.add_line_figure(piece.number, line);
                break;
            case Source::member_key:
                renderer.out += order.buyer.key;
                break;
            case Source::points:
                renderer.add_points_figure(piece.number, piece.type);
                break;
            case Source::totals:
                renderer.add_totals_figure(piece.number);
                break;
            case Source::product_value:
                renderer.add_value(order.lines[line].values, piece.number);
                break;
            case Source::order_value:
                renderer.add_value(order.values, piece.number);
                break;
            case Source::profile_value:
                renderer.add_value(order.buyer.values, piece.number);
                break;
        }
    }
    return std::move(renderer.out);
}

}  // namespace loyalty
