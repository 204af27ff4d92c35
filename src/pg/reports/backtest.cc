// loyalty_replay: what a stored order would have come to with another version of the promotion tree, or the draft,
// beside what it came to. The one row of loyalty_backtest(), which the server spreads over parallel processes.
//
// An order is replayed from the input that was stored with it, so that nothing but the tree differs. What the other
// tree asks and the stored input does not know, such as a segment that was not in use then, is judged by what the
// catalogue and the profiles say today. Each process compiles the trees once in a statement.
#include "codec/listed_fields.hpp"
#include "codec/order_reader.hpp"
#include "codec/resolved_order.hpp"
#include "core/calculate/calculate.hpp"
#include "core/order/transfer.hpp"

#include <algorithm>
#include <iterator>
#include <map>
#include <memory>

#include "pg/orders/buyer.hpp"
#include "pg/orders/buyers.hpp"
#include "pg/orders/catalogue.hpp"
#include "pg/orders/document_values.hpp"
#include "pg/orders/segments.hpp"
#include "pg/orders/stored_result.hpp"
#include "pg/orders/time.hpp"
#include "pg/promotions/editions.hpp"
#include "pg/server/arguments.hpp"
#include "pg/server/clock.hpp"
#include "pg/server/jsonb.hpp"
#include "pg/server/memory.hpp"
#include "pg/server/owner.hpp"

namespace loyalty::pg {

namespace {

constexpr std::int64_t orders_a_notice = 100'000;

std::string shown(const Error& error) {
    return error.message() + (error.detail().empty() ? "" : " (" + error.detail() + ")");
}

// Rather than one order.
bool concerns_database(const Error& error) {
    return error.sqlstate() == sqlstate::profiles_missing || error.sqlstate() == sqlstate::profiles_unreadable;
}

// An error of one order that was met within a box, and has left it in good order.
struct Unreplayable {
    std::string text;
};

// Where what is stored today is asked. An error that concerns the order only must not leave it as an exception, which
// would leave behind what the transaction's end has to clean up; one of the database's configuration does.
class InBox {
public:
    template <class Body>
    auto run(const Body& body) const -> decltype(body()) {
        std::optional<Unreplayable> failure;
        if constexpr (std::is_void_v<decltype(body())>) {
            within([&] { body(); }, failure);
            if (failure) throw *failure;
        } else {
            std::optional<decltype(body())> result;
            within([&] { result = body(); }, failure);
            if (failure) throw *failure;
            return std::move(*result);
        }
    }

private:
    template <class Body>
    static void within(const Body& body, std::optional<Unreplayable>& failure) {
        const AsOwner as_owner = AsOwner::reading();
        const Spi connection;
        try {
            body();
        } catch (const Error& error) {
            if (concerns_database(error)) throw;
            failure = Unreplayable{shown(error)};
        }
    }
};

// What stands in loyalty.orders. An imported order has no stored input; an erased one has no content at all.
struct StoredOrder {
    Datum request;
    std::optional<Datum> resolved;
    std::int32_t version = 0;

    // Asked for only where the stored input does not do.
    std::string_view content() const { return jsonb_text(request); }
};

// The trees of one statement in this process.
class Replay {
public:
    Replay(const std::string& program, std::optional<std::int32_t> version)
        : current_(find_program(program, version ? Edition::number(*version) : Edition::draft())) {}

    Calculation run(const StoredOrder& stored, Oid caller) {
        if (++replayed_ % orders_a_notice == 0) tell();
        if (!stored.resolved)
            return quote(filled(codec::read_imported_orders("[" + std::string(stored.content()) + "]").front()),
                         caller);
        const Source& source = source_of(stored.version);
        const auto input = codec::read_resolved_order(jsonb_text(*stored.resolved), source.current.version->program);
        Order order = source.transfer(input.order);
        if (source.transfer.unknown().any())
            judge_unknown(order, filled(codec::read_order(stored.content())), source.transfer.unknown(), caller);
        CalculationOptions options;
        options.check_interrupts = check_calculation;
        options.is_credited = [&](std::string_view credit_on) {
            return std::find(input.credited.begin(), input.credited.end(), credit_on) != input.credited.end();
        };
        return calculate(program(), order, options);
    }

    const Program& program() const { return current_.version->program; }

private:
    // A version that orders were placed with.
    struct Source {
        CurrentProgram current;
        Transfer transfer;
    };

    const Source& source_of(std::int32_t version) {
        const auto found = sources_.find(version);
        if (found != sources_.end()) return found->second;
        CurrentProgram current = find_source(version);
        Transfer transfer(current.version->program, program());
        return sources_.emplace(version, Source{std::move(current), std::move(transfer)}).first->second;
    }

    CurrentProgram find_source(std::int32_t version) const {
        const InBox box;
        return box.run([&] { return find_program(current_.live->market.program, Edition::number(version)); });
    }

    OrderDocument filled(OrderDocument document) const {
        codec::fill_listed_fields(document, current_.live->market.fields, codec::Origin::made_up);
        return document;
    }

    // An imported order is quoted at its lines' prices, for the buyer of today, without usage limits.
    Calculation quote(const OrderDocument& document, Oid caller) const {
        const InBox box;
        return box.run([&] {
            const Market& market = current_.live->market;
            check_references(document, program(), market);
            Catalogue catalogue = find_products(current_, document);
            Order order = resolve(document, program(), catalogue.products, std::move(catalogue.segments),
                                  find_buyer(current_, document.member, now(), caller));
            const std::string& zone = program().time_zone;
            const TimestampTz at = document.time ? read_order_time(*document.time, zone) : now();
            order.time = local_time(at, zone);
            if (order.buyer.orders) order.buyer.orders = count_orders_before(program(), order.buyer.key, at);
            resolve_place(order, document, market);
            find_order_segments(order, document, *current_.version, catalogue.documents);
            find_partner_products(order, program(), order.time.day());
            read_values(order, document, current_, shown_time(document), caller);
            CalculationOptions options;
            options.check_interrupts = check_calculation;
            options.is_credited = [&](std::string_view credit_on) {
                return market.is_credited(document.status.value_or("new"), credit_on);
            };
            return calculate(program(), order, options);
        });
    }

    void judge_unknown(Order& order, OrderDocument document, const Unknown& unknown, Oid caller) const {
        if (document.lines.size() != order.lines.size())
            throw Unreplayable{"its content and its stored input have other lines"};
        const InBox box;
        box.run([&] {
            for (const auto& line : order.lines) {
                LineDocument& own = document.lines[line.position];
                own.price = Decimal::of(line.price.units, program().price_scale);
                if (line.min_price) own.min_price = Decimal::of(line.min_price->units, program().price_scale);
            }
            // What nobody looked at when it was placed is not stored.
            if (current_.version->needs.orders_before && !order.buyer.orders && !order.buyer.key.empty()) {
                order.buyer.orders = count_orders_before(program(), order.buyer.key, moment(order.time.unix_us));
            }
            judge_products(order, document, unknown);
            if (unknown.of_buyer() && order.buyer.kind == BuyerKind::member) {
                const Buyer today = find_buyer(current_, order.buyer.key, now(), caller);
                add(order.buyer.segments, today.segments, unknown.profile_segments);
                add(order.buyer.tiers, today.tiers, unknown.tiers);
            }
            if (unknown.of_values()) add_values(order, document, unknown, caller);
        });
    }

    void judge_products(Order& order, const OrderDocument& document, const Unknown& unknown) const {
        if (!unknown.of_products() && unknown.order_segments.empty()) return;
        const Catalogue catalogue = find_products(current_, document);
        for (auto& line : order.lines) add(line.segments, catalogue.segments[line.position], unknown.product_segments);
        if (unknown.order_segments.empty()) return;
        Order judged = order;
        judged.segments.clear();
        find_order_segments(judged, document, *current_.version, catalogue.documents);
        add(order.segments, judged.segments, unknown.order_segments);
    }

    // Those of the unknown ones that hold today.
    static void add(std::vector<std::uint32_t>& to, const std::vector<std::uint32_t>& today,
                    const std::vector<Index>& unknown) {
        for (const Index one : unknown) {
            if (std::find(today.begin(), today.end(), one) != today.end()) to.push_back(one);
        }
        std::sort(to.begin(), to.end());
    }

    void add_values(Order& order, const OrderDocument& document, const Unknown& unknown, Oid caller) const {
        Order today = order;
        today.values.clear();
        read_values(today, document, current_, shown_time(document), caller);
        for (std::size_t i = 0; i < order.lines.size(); i++) {
            for (const auto place : unknown.product_values) order.lines[i].values[place] = today.lines[i].values[place];
        }
        for (const auto place : unknown.gifts) order.gifts[place] = today.gifts[place];
        for (const auto place : unknown.order_values) order.values[place] = today.values[place];
        if (order.buyer.key.empty()) return;
        for (const auto place : unknown.profile_values) order.buyer.values[place] = today.buyer.values[place];
    }

    std::string shown_time(const OrderDocument& document) const {
        const std::string& zone = program().time_zone;
        return document.time ? show_time(read_order_time(*document.time, zone), zone) : "";
    }

    void tell() const {
        const auto count = static_cast<long long>(replayed_);
        postgres([=] { ereport(NOTICE, (errmsg("replayed %lld orders in process %d", count, MyProcPid))); });
    }

    const CurrentProgram current_;
    std::map<std::int32_t, Source> sources_;
    std::int64_t replayed_ = 0;
};

// What a statement keeps between its calls of the function; gone with its plan's execution.
Replay& kept_replay(FunctionCallInfo call, const std::string& program, std::optional<std::int32_t> version) {
    FmgrInfo* function = call->flinfo;
    if (function->fn_extra) return *static_cast<Replay*>(function->fn_extra);
    const AsOwner as_owner = AsOwner::reading();
    const Spi connection;
    auto made = std::make_unique<Replay>(program, version);
    Replay* replay = made.get();
    postgres([=] {
        auto* end = static_cast<MemoryContextCallback*>(
            MemoryContextAllocZero(function->fn_mcxt, sizeof(MemoryContextCallback)));
        end->func = [](void* kept) { delete static_cast<Replay*>(kept); };
        end->arg = replay;
        MemoryContextRegisterResetCallback(function->fn_mcxt, end);
        function->fn_extra = replay;
    });
    made.release();
    return *replay;
}

std::vector<std::string> promotions_of(const Program& program, const Calculation& calculation) {
    std::vector<std::string> ids;
    for (const auto& operation : calculation.operations) {
        if (!operation.entry.has_effect()) continue;
        const Condition& condition = program.conditions[program.benefits[operation.entry.benefit].condition];
        ids.push_back(program.promotions[condition.promotion].id);
    }
    std::sort(ids.begin(), ids.end());
    ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
    return ids;
}

Datum points_of(const Program& program, const Calculation& calculation) {
    JsonbWriter out;
    out.begin_object();
    for (std::size_t type = 0; type < calculation.points.size(); type++) {
        const Points earned = calculation.points[type].accrued + calculation.points[type].pending;
        if (earned.is_zero()) continue;
        out.key(program.point_types[type].id);
        out.number(earned.units, program.point_types[type].scale);
    }
    out.end_object();
    return out.take();
}

// Those of the first that the second has not; both ascending.
std::vector<std::string> without(const std::vector<std::string>& some, const std::vector<std::string>& others) {
    std::vector<std::string> rest;
    std::set_difference(some.begin(), some.end(), others.begin(), others.end(), std::back_inserter(rest));
    return rest;
}

// A row of the total, the points earned then and now, the promotions gained and lost, and the error that there is
// instead.
constexpr int row_width = 6;

Datum row_of(FunctionCallInfo call, const Argument (&values)[row_width]) {
    Datum datums[row_width];
    bool nulls[row_width];
    for (int i = 0; i < row_width; i++) {
        datums[i] = values[i].value;
        nulls[i] = values[i].is_null;
    }
    Datum* first = datums;
    bool* is_null = nulls;
    return postgres([=] {
        TupleDesc description;
        if (get_call_result_type(call, nullptr, &description) != TYPEFUNC_COMPOSITE || description->natts != row_width)
            elog(ERROR, "loyalty_internal.replay() is not declared as the extension declares it");
        return HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(description), first, is_null));
    });
}

Datum replay(FunctionCallInfo call) {
    const Arguments given(call);
    const std::string program = given.required(0, "program");
    const auto version = given.integer(1);
    const auto request = given.datum(2), resolved = given.datum(3);
    Replay& kept = kept_replay(call, program, version);
    const StoredResult before = read_stored_result(given.datum(4));
    const Argument null = null_argument(), points_before{before.points, false}, none = texts_argument({});
    const auto failed = [&](const std::string& error) {
        return row_of(call, {null, points_before, null, none, none, text_argument(error)});
    };
    if (!request) return failed("the content of the order was erased");
    try {
        const Calculation calculation = kept.run({*request, resolved, given.integer(5).value_or(0)}, GetUserId());
        const Program& with = kept.program();
        const auto promotions = promotions_of(with, calculation);
        return row_of(call, {{numeric_datum(calculation.total.units, with.currency_scale), false},
                             points_before,
                             {points_of(with, calculation), false},
                             texts_argument(without(promotions, before.promotions)),
                             texts_argument(without(before.promotions, promotions)),
                             null});
    } catch (const Unreplayable& failure) {
        return failed(failure.text);
    } catch (const Error& error) {
        if (concerns_database(error)) throw;
        return failed(shown(error));
    }
}

}  // namespace

}  // namespace loyalty::pg

extern "C" {
PG_FUNCTION_INFO_V1(loyalty_replay);
Datum loyalty_replay(PG_FUNCTION_ARGS) {
    using namespace loyalty::pg;
    return guarded([&]() -> Datum {
        const CalculationMemory memory;
        return replay(fcinfo);
    });
}

PG_FUNCTION_INFO_V1(loyalty_effective_promotions);
Datum loyalty_effective_promotions(PG_FUNCTION_ARGS) {
    using namespace loyalty::pg;
    return guarded([&]() -> Datum {
        return texts_argument(read_stored_result(Arguments(fcinfo).datum(0)).promotions).value;
    });
}
}
