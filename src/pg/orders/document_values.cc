#include "pg/orders/document_values.hpp"

#include <span>
#include <unordered_map>

#include "pg/members/profile.hpp"
#include "pg/server/in_turn.hpp"
#include "pg/server/jsonb.hpp"
#include "pg/server/values.hpp"

namespace loyalty::pg {

namespace {

using Path = Reads::Path;

// The member at `path` of a document; an empty value if it has none, or null.
Value value_at(Datum document, std::span<const std::string> path) {
    const Datum names = texts_argument(path).value;
    struct Found {
        Datum text;
        bool is_missing, is_number;
    };
    const Found found = postgres([=]() -> Found {
        const auto call = [=](PGFunction function) -> NullableDatum {
            LOCAL_FCINFO(info, 2);
            InitFunctionCallInfoData(*info, nullptr, 2, InvalidOid, nullptr, nullptr);
            info->args[0] = {document, false};
            info->args[1] = {names, false};
            const Datum result = function(info);
            return {result, info->isnull};
        };
        const NullableDatum text = call(jsonb_extract_path_text);
        if (text.isnull) return {0, true, false};
        const Jsonb* value = DatumGetJsonbP(call(jsonb_extract_path).value);
        JsonbValue scalar;
        const bool is_number =
            JsonbExtractScalar(const_cast<JsonbContainer*>(&value->root), &scalar) && scalar.type == jbvNumeric;
        return {text.value, false, is_number};
    });
    if (found.is_missing) return {};
    std::string text = text_of(found.text);
    const auto number = found.is_number ? Decimal::parse(text) : std::nullopt;
    return {number, std::move(text)};
}

std::vector<Value> values_of(const std::optional<Datum>& document, const std::vector<Path>& paths) {
    std::vector<Value> values;
    values.reserve(paths.size());
    for (const auto& path : paths) values.push_back(document ? value_at(*document, path) : Value{});
    return values;
}

// What a line says of its product itself.
void overlay(std::vector<Value>& values, const LineDocument& line, const std::vector<Path>& paths) {
    const bool has_fields = !line.fields.empty();
    const Datum fields = has_fields ? jsonb_from_text(line.fields) : Datum{0};
    for (std::size_t i = 0; i < values.size(); i++) {
        const Path& path = paths[i];
        if (path.front() == "name" && line.name) values[i] = {std::nullopt, *line.name};
        if (path.front() != "fields" || !has_fields) continue;
        const Datum name = text_argument(path[1]).value;
        const bool has_it = postgres([=] { return DatumGetBool(DirectFunctionCall2(jsonb_exists, fields, name)); });
        if (has_it) values[i] = value_at(fields, std::span(path).subspan(1));
    }
}

// The documents of an order's products, as far as benefits read them: their names, and their fields overlaid by the
// lines' own.
void read_product_values(Order& order, const OrderDocument& document, const Program& program) {
    static Query query(
        "SELECT sku, jsonb_build_object('name', name, 'fields', fields) FROM loyalty.products"
        " WHERE program = $1 AND sku = ANY ($2)",
        {TEXTOID, TEXTARRAYOID});
    std::vector<std::string> skus;
    for (const auto& line : order.lines) skus.push_back(line.product);
    const Rows rows = query.run({text_argument(program.id), texts_argument(skus)});
    std::unordered_map<std::string, std::vector<Value>> stored;
    for (std::uint64_t row = 0; row < rows.size(); row++) {
        ColumnsInTurn columns(rows, row);
        std::vector<Value>& values = stored[columns.text()];
        values = values_of(columns.datum(JSONBOID), program.reads.product);
    }
    for (auto& line : order.lines) {
        const auto found = stored.find(line.product);
        line.values = found == stored.end() ? std::vector<Value>(program.reads.product.size()) : found->second;
        overlay(line.values, document.lines[line.position], program.reads.product);
    }
}

// What is given away, with what the catalogue asks for it.
void read_gifts(Order& order, const Program& program) {
    static Query query(
        "SELECT p.name, p.price FROM unnest($2) WITH ORDINALITY k (sku, number)"
        "  LEFT JOIN loyalty.products p ON p.program = $1 AND p.sku = k.sku ORDER BY k.number",
        {TEXTOID, TEXTARRAYOID});
    const Rows rows = query.run({text_argument(program.id), texts_argument(program.reads.gifts)});
    order.gifts.clear();
    for (std::uint64_t row = 0; row < rows.size(); row++) {
        ColumnsInTurn columns(rows, row);
        GiftProduct gift;
        gift.name = columns.optional_text().value_or("");
        if (const auto price = columns.optional_units(program.price_scale)) gift.price = program.price(*price);
        order.gifts.push_back(std::move(gift));
    }
}

const std::optional<std::string>& member_of(const OrderDocument& document, const std::string& name) {
    if (name == "external_id") return document.external_id;
    if (name == "channel") return document.channel;
    if (name == "contact_point") return document.contact_point;
    return document.region;
}

// The order's own members are those of its document, with what was filled in.
Value order_value(const OrderDocument& document, const Datum* fields, const Program& program, const std::string& time,
                  const Path& path) {
    const std::string& name = path.front();
    if (name == "fields") return fields ? value_at(*fields, std::span(path).subspan(1)) : Value{};
    if (name == "currency") return {std::nullopt, program.currency};
    if (name == "time") return {std::nullopt, time};
    if (name == "status") return {std::nullopt, document.status.value_or("new")};
    return {std::nullopt, member_of(document, name).value_or("")};
}

}  // namespace

void read_values(Order& order, const OrderDocument& document, const CurrentProgram& current, const std::string& time,
                 Oid caller) {
    const Program& program = current.version->program;
    const Reads& reads = program.reads;
    if (!reads.product.empty()) read_product_values(order, document, program);
    if (!reads.gifts.empty()) read_gifts(order, program);
    if (!reads.order.empty()) {
        const bool has_fields = !document.fields.empty();
        const Datum fields = has_fields ? jsonb_from_text(document.fields) : Datum{0};
        for (const auto& path : reads.order)
            order.values.push_back(order_value(document, has_fields ? &fields : nullptr, program, time, path));
    }
    if (!reads.profile.empty() && !order.buyer.key.empty()) {
        const auto profile = read_profile(current.live->profiles, order.buyer.key, caller, true);
        order.buyer.values = values_of(profile ? profile->row : std::nullopt, reads.profile);
    }
}

}  // namespace loyalty::pg
