#include "pg/orders/catalogue.hpp"

#include "codec/json.hpp"

#include <algorithm>
#include <unordered_map>

#include "pg/server/in_turn.hpp"
#include "pg/server/jsonb.hpp"
#include "pg/server/predicate.hpp"

namespace loyalty::pg {

namespace {

struct StoredProduct {
    bool known = false;
    std::optional<Decimal> price;
    std::optional<Decimal> min_price;
    std::string name;
    std::vector<std::uint32_t> segments;
};

// The segments to be judged on the line's own document, because of what it says of its product that the catalogue does
// not; ascending.
std::vector<std::uint32_t> own_judgements(const SegmentIndex& index, const LineDocument& line,
                                          const StoredProduct& stored) {
    if (!stored.known || line.edits_product()) return index.dynamic;
    std::vector<std::uint32_t> concerned;
    const auto add = [&](const std::vector<std::uint32_t>& segments) {
        concerned.insert(concerned.end(), segments.begin(), segments.end());
    };
    if (line.price && line.price != stored.price) add(index.reading_price);
    if (line.min_price && line.min_price != stored.min_price) add(index.reading_min_price);
    if (!line.fields.empty()) add(index.reading_fields);
    std::sort(concerned.begin(), concerned.end());
    concerned.erase(std::unique(concerned.begin(), concerned.end()), concerned.end());
    return concerned;
}

std::optional<Decimal> decimal(const std::optional<std::string>& text) {
    return text ? Decimal::parse(*text) : std::nullopt;
}

class Lookup {
public:
    Lookup(const CurrentProgram& program, const OrderDocument& document)
        : version_(*program.version),
          market_(program.live->market),
          document_(document),
          materialised_(version_.materialised && version_.visible()) {}

    Catalogue run() {
        read_stored();
        Catalogue catalogue;
        std::vector<std::size_t> differing;
        for (std::size_t i = 0; i < document_.lines.size(); i++) {
            const StoredProduct& stored = stored_[sku_of_line_[i]];
            catalogue.products.push_back({stored.known, stored.price, stored.min_price, stored.name});
            catalogue.segments.push_back(stored.segments);
            own_.push_back(materialised_ ? own_judgements(version_.segments, document_.lines[i], stored)
                                         : version_.segments.dynamic);
            if (!own_.back().empty() || version_.needs.order_lines) differing.push_back(i);
        }
        if (!differing.empty()) judge(differing, catalogue);
        return catalogue;
    }

private:
    // Two look-ups in one statement: starting a statement costs more than either.
    void read_stored() {
        static Query query(
            "SELECT p.sku, NULL::integer, p.price::text, p.min_price::text, p.name"
            "    FROM unnest($2) AS w (sku) JOIN loyalty.products p ON p.program = $1 AND p.sku = w.sku"
            " UNION ALL "
            "SELECT m.sku, m.predicate, NULL, NULL, NULL"
            "    FROM unnest($2) AS w (sku) JOIN loyalty.product_memberships m ON m.program = $1 AND m.sku = w.sku",
            {TEXTOID, TEXTARRAYOID});
        number_skus();
        const Rows rows = run(query);
        for (std::uint64_t row = 0; row < rows.size(); row++) {
            ColumnsInTurn columns(rows, row);
            StoredProduct& product = stored_[places_.at(columns.text())];
            const auto predicate = columns.optional_integer();
            if (!predicate) {
                product.known = true;
                product.price = decimal(columns.optional_text());
                product.min_price = decimal(columns.optional_text());
                product.name = columns.text();
                continue;
            }
            const auto [first, last] = version_.segments.of_predicate.equal_range(*predicate);
            for (auto segment = first; segment != last; ++segment) product.segments.push_back(segment->second);
        }
        if (!version_.segments.static_ones.empty()) read_static_segments();
        for (auto& product : stored_) std::sort(product.segments.begin(), product.segments.end());
    }

    // Of many products the planner may read the tables from end to end, in a third of the time (measured). To find that
    // out takes it as long as some hundred look-ups.
    Rows run(Query& query) const {
        constexpr std::size_t many = 1'000;
        const Argument program = text_argument(market_.program), skus = texts_argument(skus_);
        return skus_.size() < many ? query.run({program, skus}) : query.run_for(skus_.size(), {program, skus});
    }

    void read_static_segments() {
        static Query query(
            "SELECT m.sku, m.segment"
            "    FROM unnest($2) AS w (sku) JOIN loyalty.product_segment_members m ON m.program = $1 AND m.sku = w.sku",
            {TEXTOID, TEXTARRAYOID});
        const Rows rows = run(query);
        for (std::uint64_t row = 0; row < rows.size(); row++) {
            ColumnsInTurn columns(rows, row);
            StoredProduct& product = stored_[places_.at(columns.text())];
            const auto segment = version_.segments.static_ones.find(columns.text());
            if (segment != version_.segments.static_ones.end()) product.segments.push_back(segment->second);
        }
    }

    // Several lines may have the same product.
    void number_skus() {
        for (const auto& line : document_.lines) {
            const auto [place, is_new] = places_.try_emplace(line.product, skus_.size());
            if (is_new) skus_.push_back(line.product);
            sku_of_line_.push_back(place->second);
        }
        stored_.resize(skus_.size());
    }

    // Judges lines on their own documents, and keeps these where they are wanted.
    void judge(const std::vector<std::size_t>& lines, Catalogue& catalogue) {
        static Query query(
            "SELECT p.name, to_jsonb(p.categories)::text, p.partner, p.fields,"
            "       to_jsonb(ARRAY(SELECT segment FROM loyalty.product_segment_members"
            "           WHERE sku = o.sku AND program = $1 ORDER BY segment))::text"
            "  FROM unnest($2) WITH ORDINALITY AS o (sku, number)"
            "  LEFT JOIN LATERAL ("
            "       SELECT t.name, t.categories, t.fields, l.partner"
            "         FROM loyalty.products t"
            "         LEFT JOIN loyalty.partner_products l ON l.program = $1 AND l.sku = o.sku"
            "        WHERE t.program = $1 AND t.sku = o.sku LIMIT 1) p ON true"
            " ORDER BY o.number",
            {TEXTOID, TEXTARRAYOID});
        std::vector<std::string> skus;
        for (const auto i : lines) skus.push_back(document_.lines[i].product);
        const Rows rows = query.run({text_argument(market_.program), texts_argument(skus)});
        for (std::uint64_t row = 0; row < rows.size(); row++) {
            ColumnsInTurn columns(rows, row);
            ProductDocument document = own_document(lines[row], columns);
            if (!own_[lines[row]].empty()) {
                judge_line(lines[row], jsonb_from_text(write_product_document(document)), catalogue);
            }
            if (version_.needs.order_lines) catalogue.documents.push_back(std::move(document));
        }
    }

    // What the line says itself goes before what is stored.
    ProductDocument own_document(std::size_t index, ColumnsInTurn& columns) const {
        const LineDocument& line = document_.lines[index];
        const StoredProduct& stored = stored_[sku_of_line_[index]];
        const auto figure = [](const std::optional<Decimal>& own,
                               const std::optional<Decimal>& kept) -> std::optional<std::string> {
            if (own) return own->to_string();
            return kept ? std::optional(kept->to_string()) : std::nullopt;
        };
        ProductDocument product;
        product.sku = line.product;
        product.price = figure(line.price, stored.price);
        product.min_price = figure(line.min_price, stored.min_price);
        product.name = columns.optional_text();
        product.categories = columns.optional_text().value_or("[]");
        product.partner = columns.optional_text();
        product.fields = fields(line, columns.optional_datum(JSONBOID));
        product.segments = columns.optional_text();
        if (line.name) product.name = line.name;
        if (!line.categories.empty()) product.categories = line.categories;
        if (line.partner) product.partner = line.partner;
        return product;
    }

    // The product's fields, overlaid by the line's.
    static std::string fields(const LineDocument& line, std::optional<Datum> product) {
        if (!product) return line.fields.empty() ? "{}" : line.fields;
        if (line.fields.empty()) return std::string(jsonb_text(*product));
        const Datum stored = *product, own = jsonb_from_text(line.fields);
        return std::string(jsonb_text(postgres([=] { return DirectFunctionCall2(jsonb_concat, stored, own); })));
    }

    void judge_line(std::size_t index, Datum document, Catalogue& catalogue) const {
        auto& segments = catalogue.segments[index];
        for (const auto segment : own_[index]) {
            std::erase(segments, segment);
            if (holds(version_.predicates[segment], document)) segments.push_back(segment);
        }
    }

    const AppliedVersion& version_;
    const Market& market_;
    const OrderDocument& document_;
    // Memberships of a version that is newer than the active snapshot are newer than it, too, and those of old versions
    // are no longer there: then every line is judged on its own document.
    bool materialised_;
    std::vector<std::string> skus_;
    std::unordered_map<std::string, std::size_t> places_;  // of skus in skus_ and stored_
    std::vector<std::size_t> sku_of_line_;
    std::vector<StoredProduct> stored_;
    std::vector<std::vector<std::uint32_t>> own_;  // per line: the segments judged on its own document
};

}  // namespace

Catalogue find_products(const CurrentProgram& program, const OrderDocument& document) {
    return Lookup(program, document).run();
}

std::string write_product_document(const ProductDocument& product) {
    std::string json = "{";
    const auto add = [&](const char* key, const std::optional<std::string>& value, bool is_text) {
        if (!value) return;
        json.append(json.size() > 1 ? ",\"" : "\"").append(key).append("\":");
        if (is_text) {
            codec::write_string(json, *value);
        } else {
            json += *value;
        }
    };
    add("sku", product.sku, true);
    add("name", product.name, true);
    add("price", product.price, false);
    add("min_price", product.min_price, false);
    add("categories", product.categories, false);
    add("partner", product.partner, true);
    add("fields", product.fields, false);
    add("segments", product.segments, false);
    return json + "}";
}

}  // namespace loyalty::pg

namespace {

using namespace loyalty::pg;

std::optional<std::string> text_at(FunctionCallInfo fcinfo, int argument) {
    if (PG_ARGISNULL(argument)) return std::nullopt;
    return text_of(PG_GETARG_DATUM(argument));
}

std::optional<std::string> figure_at(FunctionCallInfo fcinfo, int argument) {
    if (PG_ARGISNULL(argument)) return std::nullopt;
    const Datum value = PG_GETARG_DATUM(argument);
    return postgres([=] { return DatumGetCString(DirectFunctionCall1(numeric_out, value)); });
}

std::optional<std::string> array_at(FunctionCallInfo fcinfo, int argument) {
    if (PG_ARGISNULL(argument)) return std::nullopt;
    return json_array(texts_of(PG_GETARG_DATUM(argument)));
}

}  // namespace

extern "C" {
PG_FUNCTION_INFO_V1(loyalty_product_document);
Datum loyalty_product_document(PG_FUNCTION_ARGS) {
    return guarded([&]() -> Datum {
        ProductDocument product;
        product.sku = text_at(fcinfo, 0);
        product.name = text_at(fcinfo, 1);
        product.price = figure_at(fcinfo, 2);
        product.min_price = figure_at(fcinfo, 3);
        product.categories = array_at(fcinfo, 4);
        product.partner = text_at(fcinfo, 5);
        if (!PG_ARGISNULL(6)) product.fields = std::string(jsonb_text(PG_GETARG_DATUM(6)));
        product.segments = array_at(fcinfo, 7);
        return jsonb_from_text(write_product_document(product));
    });
}
}
