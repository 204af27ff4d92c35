// loyalty_prices: what one unit of each of many products costs this buyer when it is bought alone.
//
// Each price is a quote of its own, an order of one line, calculated by calculate() like any other. What all of them
// share is looked up once: the buyer, the compiled tree, what usage limits leave. Products are read a slice at a time,
// and those that are alike in everything that a calculation reads of them are calculated once.
#include "codec/listed_fields.hpp"
#include "core/calculate/conditions.hpp"
#include "core/explain/near_miss.hpp"

#include <algorithm>
#include <unordered_map>
#include <unordered_set>

#include "pg/orders/buyer.hpp"
#include "pg/orders/catalogue.hpp"
#include "pg/orders/document_values.hpp"
#include "pg/orders/segments.hpp"
#include "pg/orders/time.hpp"
#include "pg/orders/usage.hpp"
#include "pg/promotions/editions.hpp"
#include "pg/server/arguments.hpp"
#include "pg/server/clock.hpp"
#include "pg/server/jsonb.hpp"
#include "pg/server/memory.hpp"
#include "pg/server/owner.hpp"

namespace loyalty::pg {

namespace {

// So many products are looked up by one statement, and forgotten before the next.
constexpr std::size_t slice_size = 10'000;

constexpr int columns = 7;

// What the rows of alike products have in common, in the caller's memory.
struct Priced {
    Money price;
    Datum promotions = 0;
    std::optional<Datum> points, more;
};

struct Wanted {
    std::optional<std::string> member;
    std::optional<std::vector<std::string>> skus;
    std::optional<std::string> segment;
    std::optional<TimestampTz> at;
    std::optional<std::string> program;
    // The promotions whose usage limits are used up; nothing: as the counters say now.
    std::optional<std::vector<std::string>> used_up{};
};

// ---------------------------------------------------------------------------------------------------------------------
// Which products

std::vector<std::string> texts_in(const Rows& rows) {
    std::vector<std::string> texts;
    texts.reserve(rows.size());
    for (std::uint64_t row = 0; row < rows.size(); row++) texts.push_back(rows.text(row, 1));
    return texts;
}

std::vector<std::string> skus_of_segment(const std::string& program, const std::string& segment) {
    static Query exists("SELECT FROM loyalty.product_segments WHERE program = $1 AND external_id = $2",
                        {TEXTOID, TEXTOID});
    static Query query(
        "SELECT sku::text FROM loyalty.segment_products WHERE program = $1 AND segment = $2 ORDER BY sku",
        {TEXTOID, TEXTOID});
    if (exists.run({text_argument(program), text_argument(segment)}).size() == 0) {
        throw Error(sqlstate::unknown_product_segment, "the product segment is not known to the program",
                    "It is \"" + segment + "\".", "Name one of loyalty.product_segments.");
    }
    return texts_in(query.run_for(slice_size, {text_argument(program), text_argument(segment)}));
}

// In the sequence in which they are named, otherwise by SKU.
std::vector<std::string> find_skus(const Wanted& wanted, const std::string& program) {
    static Query all("SELECT sku::text FROM loyalty.products WHERE program = $1 ORDER BY sku", {TEXTOID});
    const Spi connection;
    if (!wanted.skus && !wanted.segment) return texts_in(all.run_for(slice_size, {text_argument(program)}));
    std::vector<std::string> skus = wanted.segment ? skus_of_segment(program, *wanted.segment) : *wanted.skus;
    std::unordered_set<std::string> left(skus.begin(), skus.end());
    if (wanted.segment && wanted.skus) skus = *wanted.skus;
    std::erase_if(skus, [&](const std::string& sku) { return left.erase(sku) == 0; });
    return skus;
}

// As an order's time, which has a year of four digits.
void check_moment(TimestampTz at) {
    constexpr std::int64_t year_1 = -62'135'596'800 * second_us, year_10000 = 253'402'300'800 * second_us;
    if (!TIMESTAMP_NOT_FINITE(at) && unix_us(at) >= year_1 && unix_us(at) < year_10000) return;
    throw Error(sqlstate::value_out_of_range, "the moment is out of range", {}, "Its year is 1 to 9999.");
}

// ---------------------------------------------------------------------------------------------------------------------
// What all prices share

class Shared {
public:
    Shared(const Wanted& wanted, Oid caller) : wanted_(wanted), caller_(caller) {
        const Spi connection;
        current_ = find_program(wanted.program, Edition::in_force());
        check_active(current_.live->market);
        at_ = wanted.at.value_or(now());
        check_moment(at_);
        Buyer buyer = find_buyer(current_, wanted.member, now(), caller);
        order_.allowances =
            wanted.used_up ? allowances_by(*wanted.used_up, program()) : find_allowances(buyer, program());
        order_.buyer = std::move(buyer);
        order_.time = local_time(at_, program().time_zone);
        find_goals();
    }

    const CurrentProgram& current() const { return current_; }
    const Program& program() const { return current_.version->program; }
    const AppliedVersion& version() const { return *current_.version; }
    const Market& market() const { return current_.live->market; }
    const std::vector<Goal>& goals() const { return goals_; }

    // The order of one product; its line is put in by turns.
    Order& order() { return order_; }

    // How an order that names its time shows it.
    std::string shown_time() const { return wanted_.at ? show_time(at_, program().time_zone) : ""; }
    Oid caller() const { return caller_; }
    std::optional<std::string> member() const { return wanted_.member; }

private:
    void find_goals() {
        for (Index index = 0; index < program().promotions.size(); index++) {
            if (find_obstacle_for_any_goods(program(), index, order_) != Reason::none) continue;
            auto goals = goals_of(program(), index);
            std::move(goals.begin(), goals.end(), std::back_inserter(goals_));
        }
    }

    const Wanted& wanted_;
    const Oid caller_;
    CurrentProgram current_;
    TimestampTz at_ = 0;
    Order order_;
    std::vector<Goal> goals_;
};

// ---------------------------------------------------------------------------------------------------------------------
// One price

class Pricing {
public:
    Pricing(Shared& shared, MemoryContext memory) : shared_(shared), memory_(memory) {
        options_.check_interrupts = check_calculation;
        options_.is_credited = [this](std::string_view status) { return shared_.market().is_credited("new", status); };
    }

    // The order has its line and its segments.
    const Priced& price() {
        const auto [found, is_new] = known_.try_emplace(key());
        if (is_new) found->second = calculate_price();
        return found->second;
    }

private:
    // All that a calculation reads of an order that differs between those of a call. What the product is called is read
    // by texts only.
    std::string key() const {
        const Order& order = shared_.order();
        const Line& line = order.lines.front();
        std::string key;
        const auto add = [&](std::int64_t number) { key.append(std::to_string(number)).push_back(' '); };
        add(line.price.units);
        add(line.min_price ? line.min_price->units : -1);
        add(line.partner_product);
        for (const auto segment : line.segments) add(segment);
        key.push_back('/');
        for (const auto segment : order.segments) add(segment);
        const auto& paths = shared_.program().reads.product;
        for (std::size_t i = 0; i < line.values.size(); i++) {
            if (paths[i].front() == "name") continue;
            const Value& value = line.values[i];
            key.append(value.number ? "#" : "/")
                .append(std::to_string(value.text.size()))
                .append(":")
                .append(value.text);
        }
        return key;
    }

    Priced calculate_price() const {
        const Program& program = shared_.program();
        const Calculation calculation = calculate(program, shared_.order(), options_);
        Priced priced;
        priced.price = calculation.total;
        priced.promotions = kept(promotions(calculation));
        priced.points = points(calculation);
        priced.more = more();
        return priced;
    }

    Datum kept(Datum value) const { return copy_out(value, memory_); }

    // Those that had an effect, each once, in the order in which they had it.
    Datum promotions(const Calculation& calculation) const {
        const Program& program = shared_.program();
        std::vector<std::string> ids;
        for (const auto& operation : calculation.operations) {
            const Condition& condition = program.conditions[program.benefits[operation.entry.benefit].condition];
            const std::string& id = program.promotions[condition.promotion].id;
            if (operation.entry.has_effect() && std::find(ids.begin(), ids.end(), id) == ids.end()) ids.push_back(id);
        }
        return texts_argument(ids).value;
    }

    // Earned at once or later.
    std::optional<Datum> points(const Calculation& calculation) const {
        const auto earned = [](const PointsResult& points) { return points.accrued + points.pending; };
        const auto earns = [&](const PointsResult& points) { return !earned(points).is_zero(); };
        if (std::none_of(calculation.points.begin(), calculation.points.end(), earns)) return std::nullopt;
        JsonbWriter out;
        out.begin_object();
        for (std::size_t type = 0; type < calculation.points.size(); type++) {
            if (!earns(calculation.points[type])) continue;
            const PointType& point_type = shared_.program().point_types[type];
            out.key(point_type.id);
            out.number(earned(calculation.points[type]).units, point_type.scale);
        }
        out.end_object();
        return kept(out.take());
    }

    std::optional<Datum> more() const {
        std::vector<std::pair<Index, NearMiss>> found;
        for (const auto& goal : shared_.goals()) {
            auto misses = misses_of(shared_.program(), shared_.order(), goal);
            if (!misses.empty()) found.emplace_back(goal.promotion, std::move(misses.front()));
        }
        if (found.empty()) return std::nullopt;
        JsonbWriter out;
        out.begin_array();
        for (const auto& [promotion, miss] : found) write_miss(out, shared_.program().promotions[promotion], miss);
        out.end_array();
        return kept(out.take());
    }

    static void write_miss(JsonbWriter& out, const Promotion& promotion, const NearMiss& miss) {
        const auto number = [&](const char* key, const Decimal& value) {
            const int scale = std::max(miss.decimals, value.scale());
            out.key(key);
            out.number(value.units(scale).value_or(0), scale);
        };
        out.begin_object();
        out.key("promotion");
        out.text(promotion.id);
        out.key("name");
        out.text(promotion.name);
        out.key("of");
        out.text(out.keep(miss.describe_figure()));
        out.key("needed");
        out.text(out.keep(miss.comparison.describe()));
        number("missing", *miss.missing());
        out.end_object();
    }

    Shared& shared_;
    const MemoryContext memory_;
    CalculationOptions options_;
    std::unordered_map<std::string, Priced> known_;
};

// ---------------------------------------------------------------------------------------------------------------------
// Slice by slice

class PriceList {
public:
    PriceList(FunctionCallInfo call, const Wanted& wanted, Oid caller)
        : shared_(wanted, caller), pricing_(shared_, CurrentMemoryContext) {
        postgres([=] { InitMaterializedSRF(call, MAT_SRF_USE_EXPECTED_DESC); });
        result_ = reinterpret_cast<ReturnSetInfo*>(call->resultinfo);
    }

    const Program& program() const { return shared_.program(); }

    void run(const std::vector<std::string>& skus) {
        for (std::size_t from = 0; from < skus.size(); from += slice_size) {
            check_interrupts();
            const auto first = skus.begin() + static_cast<std::ptrdiff_t>(from);
            price_slice({first, first + static_cast<std::ptrdiff_t>(std::min(slice_size, skus.size() - from))});
        }
    }

private:
    void price_slice(const std::vector<std::string>& skus) {
        const Spi connection;
        OrderDocument document = order_of(skus);
        Catalogue catalogue = find_products(shared_.current(), document);
        leave_out_unpriced(document, catalogue);
        if (document.lines.empty()) return;
        Order slice = resolve(document, shared_.program(), catalogue.products, std::move(catalogue.segments), {});
        find_partner_products(slice, shared_.program(), shared_.order().time.day());
        slice.buyer.key = shared_.order().buyer.key;
        read_values(slice, document, shared_.current(), shared_.shown_time(), shared_.caller());
        Order& order = shared_.order();
        order.values = slice.values;
        order.gifts = slice.gifts;
        order.buyer.values = slice.buyer.values;
        const auto by_position = [](const Line& a, const Line& b) { return a.position < b.position; };
        if (!std::is_sorted(slice.lines.begin(), slice.lines.end(), by_position))
            std::sort(slice.lines.begin(), slice.lines.end(), by_position);
        for (auto& line : slice.lines) price_line(std::move(line), document, catalogue.documents);
    }

    // One unit of each.
    OrderDocument order_of(const std::vector<std::string>& skus) const {
        OrderDocument document;
        document.program = shared_.program().id;
        document.member = shared_.member();
        for (const auto& sku : skus) {
            LineDocument& line = document.lines.emplace_back();
            line.product = sku;
            line.quantity = Decimal(1);
        }
        codec::fill_listed_fields(document, shared_.market().fields, codec::Origin::made_up);
        return document;
    }

    // A product without a price has no figures; one that the catalogue does not have is an error.
    void leave_out_unpriced(OrderDocument& document, Catalogue& catalogue) {
        std::size_t kept = 0;
        for (std::size_t i = 0; i < document.lines.size(); i++) {
            if (!catalogue.products[i].known) fail_unknown(document.lines[i].product);
            if (!catalogue.products[i].price) {
                put_unpriced(document.lines[i].product);
                continue;
            }
            if (kept != i) {
                document.lines[kept] = std::move(document.lines[i]);
                catalogue.products[kept] = std::move(catalogue.products[i]);
                catalogue.segments[kept] = std::move(catalogue.segments[i]);
                if (!catalogue.documents.empty()) catalogue.documents[kept] = std::move(catalogue.documents[i]);
            }
            kept++;
        }
        document.lines.resize(kept);
        catalogue.products.resize(kept);
        catalogue.segments.resize(kept);
        if (!catalogue.documents.empty()) catalogue.documents.resize(kept);
    }

    [[noreturn]] void fail_unknown(const std::string& sku) const {
        throw Error(sqlstate::unknown_product, "a product is not in the catalogue", "It is \"" + sku + "\".",
                    "Add it to loyalty.products of program \"" + shared_.program().id + "\".");
    }

    void price_line(Line line, const OrderDocument& document, std::vector<ProductDocument>& documents) {
        Order& order = shared_.order();
        std::vector<ProductDocument> own;
        if (!documents.empty()) own.push_back(std::move(documents[line.position]));
        line.position = 0;
        line.id = "00001";
        order.lines.clear();
        order.lines.push_back(std::move(line));
        find_segments(order, document, own);
        put(order.lines.front(), pricing_.price());
    }

    // Orders of one unit differ in their figures by the price only, unless predicates look at the lines.
    void find_segments(Order& order, const OrderDocument& document, const std::vector<ProductDocument>& own) {
        const std::int64_t price = order.lines.front().price.units;
        const DocumentNeeds& needs = shared_.version().needs;
        const bool by_price = !needs.order_lines && !needs.goods_by_segment;
        if (by_price) {
            if (const auto known = segments_.find(price); known != segments_.end()) {
                order.segments = known->second;
                return;
            }
        }
        order.segments.clear();
        find_order_segments(order, document, shared_.version(), own);
        if (by_price) segments_.emplace(price, order.segments);
    }

    void put(const Line& line, const Priced& priced) {
        const int scale = shared_.program().currency_scale;
        put_row(line.product, {{numeric_datum(line.base.units, scale), false},
                               {numeric_datum(priced.price.units, scale), false},
                               {priced.promotions, false},
                               optional_datum_argument(priced.points),
                               optional_datum_argument(priced.more)});
    }

    void put_unpriced(const std::string& sku) {
        const Argument null = null_argument();
        put_row(sku, {null, null, null, null, null});
    }

    void put_row(const std::string& sku, const Argument (&figures)[columns - 2]) {
        Datum values[columns] = {text_datum(sku)};
        bool nulls[columns] = {false};
        for (int i = 0; i < columns - 2; i++) {
            values[i + 1] = figures[i].value;
            nulls[i + 1] = figures[i].is_null;
        }
        values[columns - 1] = Int32GetDatum(shared_.program().version);
        Datum* datums = values;
        bool* is_null = nulls;
        ReturnSetInfo* result = result_;
        postgres([=] { tuplestore_putvalues(result->setResult, result->setDesc, datums, is_null); });
    }

    Shared shared_;
    Pricing pricing_;
    ReturnSetInfo* result_ = nullptr;
    std::unordered_map<std::int64_t, std::vector<std::uint32_t>> segments_;  // of an order, by its price
};

void list_prices(FunctionCallInfo call, const Wanted& wanted) {
    const Oid caller = GetUserId();
    const AsOwner as_owner = AsOwner::reading();
    PriceList list(call, wanted, caller);
    list.run(find_skus(wanted, list.program().id));
}

}  // namespace

}  // namespace loyalty::pg

extern "C" {
PG_FUNCTION_INFO_V1(loyalty_recorded_prices);
Datum loyalty_recorded_prices(PG_FUNCTION_ARGS) {
    using namespace loyalty::pg;
    return guarded([&]() -> Datum {
        const CalculationMemory memory;
        const Arguments given(fcinfo);
        Wanted wanted;
        wanted.program = given.required(0, "program");
        if (const auto skus = given.datum(1)) wanted.skus = texts_of(*skus);
        wanted.at = given.moment(2);
        const auto used_up = given.datum(3);
        wanted.used_up = used_up ? texts_of(*used_up) : std::vector<std::string>{};
        list_prices(fcinfo, wanted);
        return Datum{0};
    });
}

PG_FUNCTION_INFO_V1(loyalty_prices);
Datum loyalty_prices(PG_FUNCTION_ARGS) {
    using namespace loyalty::pg;
    return guarded([&]() -> Datum {
        const CalculationMemory memory;
        const Arguments given(fcinfo);
        Wanted wanted;
        wanted.member = given.text(0);
        if (const auto skus = given.datum(1)) wanted.skus = texts_of(*skus);
        wanted.segment = given.text(2);
        wanted.at = given.moment(3);
        wanted.program = given.text(4);
        list_prices(fcinfo, wanted);
        return Datum{0};
    });
}
}
