// loyalty_replay_in_turn: the orders of a program replayed one after the other with another version of the promotion
// tree, or the draft, each finding what those before it have left. The rows of loyalty_backtest(carry => true).
#include "pg/reports/carried.hpp"
#include "pg/server/arguments.hpp"
#include "pg/server/memory.hpp"
#include "pg/server/owner.hpp"

extern "C" {
#include "utils/rls.h"
}

namespace loyalty::pg {

namespace {

// Every order leaves something to those after it, so whoever asks has to see all of them.
void require_all_orders(Oid caller) {
    const bool is_kept_back = postgres([=] {
        const Oid orders = get_relname_relid("orders", get_namespace_oid("loyalty", false));
        if (pg_class_aclcheck(orders, caller, ACL_SELECT) != ACLCHECK_OK)
            aclcheck_error(ACLCHECK_NO_PRIV, OBJECT_TABLE, "orders");
        return check_enable_rls(orders, caller, true) == RLS_ENABLED;
    });
    if (!is_kept_back) return;
    throw Error(sqlstate::cannot_be_carried, "the history cannot be carried on: row-level security hides orders", {},
                "Let somebody ask who sees all orders, or replay each by itself.");
}

class InTurn {
public:
    InTurn(FunctionCallInfo call, Oid caller, const std::string& program, std::optional<std::int32_t> version,
           TimestampTz from)
        : caller_(caller),
          replay_(program, version, OrdersBeforeFrom::caller),
          carried_(replay_, from),
          result_(reinterpret_cast<ReturnSetInfo*>(call->resultinfo)) {}

    void run(History& history) {
        for (std::vector<Step> steps = history.next(); !steps.empty(); steps = history.next()) {
            const Spi connection;
            for (const auto& step : steps) {
                check_interrupts();
                if (step.kind == StepKind::order) {
                    replay(step);
                } else {
                    carried_.follow(step);
                }
            }
        }
        tell_refused();
    }

private:
    void replay(const Step& step) {
        const CalculationMemory memory;
        try {
            if (!step.request) throw Unreplayable{"the content of the order was erased"};
            require_placeable(step);
            ReplayedOrder replayed = replay_.resolve({*step.request, step.resolved, step.version}, caller_);
            carried_.fill(step, replayed);
            const Calculation calculation = replay_.calculate(replayed);
            carried_.place(step, replayed, calculation);
            put(step, compare(replay_.program(), calculation, step.result));
        } catch (const Unreplayable& failure) {
            fail(step, failure.text);
        } catch (const Error& error) {
            if (concerns_database(error)) throw;
            fail(step, shown(error));
        }
    }

    void require_placeable(const Step& step) const {
        const auto& statuses = replay_.current().live->market.statuses;
        const auto status = statuses.find(step.status);
        const bool is_final = status != statuses.end() && (status->second.kind == StatusKind::cancelled ||
                                                           status->second.kind == StatusKind::refunded);
        if (is_final) throw Unreplayable{"an order is not placed with the final status \"" + step.status + "\""};
    }

    void fail(const Step& step, const std::string& why) {
        put(step, failed_comparison(step.result, why));
        carried_.lose(step, why);
    }

    void put(const Step& step, const Comparison& comparison) {
        constexpr int columns = 4 + comparison_width;
        Datum values[columns] = {text_datum(step.order), text_datum(step.buyer),
                                 text_datum(step.imported ? "imported" : "placed"), step.total};
        bool nulls[columns] = {false};
        for (std::size_t i = 0; i < comparison.size(); i++) {
            values[4 + i] = comparison[i].value;
            nulls[4 + i] = comparison[i].is_null;
        }
        Datum* datums = values;
        bool* is_null = nulls;
        ReturnSetInfo* result = result_;
        postgres([=] { tuplestore_putvalues(result->setResult, result->setDesc, datums, is_null); });
    }

    void tell_refused() const {
        const auto count = static_cast<long long>(carried_.refused());
        if (count == 0) return;
        postgres([=] {
            ereport(NOTICE, (errmsg("%lld bookings found too few points, and were left out as refused", count)));
        });
    }

    const Oid caller_;
    Replay replay_;
    Carried carried_;
    ReturnSetInfo* result_;
};

void replay_in_turn(FunctionCallInfo call) {
    ArgumentsInTurn given(call);
    const std::string program = given.required("program");
    const auto version = given.integer();
    const auto from = given.moment(), to = given.moment();
    const Oid caller = GetUserId();
    require_all_orders(caller);
    postgres([=] { InitMaterializedSRF(call, MAT_SRF_USE_EXPECTED_DESC); });
    const AsOwner as_owner = AsOwner::reading();
    const Spi connection;
    InTurn replay(call, caller, program, version, from.value_or(DT_NOBEGIN));
    History history(program, from.value_or(DT_NOBEGIN), to.value_or(DT_NOEND));
    replay.run(history);
    history.close();
}

}  // namespace

}  // namespace loyalty::pg

extern "C" {
PG_FUNCTION_INFO_V1(loyalty_replay_in_turn);
Datum loyalty_replay_in_turn(PG_FUNCTION_ARGS) {
    using namespace loyalty::pg;
    return guarded([&]() -> Datum {
        replay_in_turn(fcinfo);
        return Datum{0};
    });
}
}
