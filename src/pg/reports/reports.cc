// Reports that add up: each is a view that computes it (sql/live/86-computed-reports.sql), and a table of the same
// columns that keeps what the view said last (sql/tables/67-reports.sql). A job keeps up what was kept once.
#include "pg/jobs/job.hpp"
#include "pg/server/arguments.hpp"
#include "pg/server/owner.hpp"

namespace loyalty::pg {

namespace {

class Report {
public:
    Report(std::string name, int columns)
        : name_(std::move(name)),
          columns_(columns),
          forget_(("DELETE FROM loyalty." + name_ + "_kept").c_str(), {}, Plan::free),
          keep_(("WITH kept AS (INSERT INTO loyalty." + name_ + "_kept SELECT * FROM loyalty." + name_ +
                 "_now RETURNING 1)"
                 " INSERT INTO loyalty.report_refreshes AS r (report, as_of, rows)"
                 " SELECT '" +
                 name_ +
                 "', loyalty.clock(), count(*) FROM kept"
                 " ON CONFLICT (report) DO UPDATE SET as_of = excluded.as_of, rows = excluded.rows")
                    .c_str(),
                {}, Plan::free),
          is_due_(("SELECT FROM loyalty.report_refreshes WHERE report = '" + name_ +
                   "' AND (as_of AT TIME ZONE 'UTC')::date < (loyalty.clock() AT TIME ZONE 'UTC')::date")
                      .c_str(),
                  {}),
          is_kept_(("SELECT as_of FROM loyalty.report_refreshes WHERE report = '" + name_ + "'").c_str(), {}),
          kept_(("SELECT kept.*, $1 FROM loyalty." + name_ + "_kept AS kept").c_str(), {TIMESTAMPTZOID}, Plan::free),
          computed_(("SELECT computed.*, loyalty.clock() FROM loyalty." + name_ + "_now AS computed").c_str(), {},
                    Plan::free) {}

    const std::string& name() const { return name_; }
    // With the moment that the figures are of.
    int columns() const { return columns_ + 1; }

    // Whether it was kept, and on a day that is over.
    bool is_due() { return is_due_.run({}, true).size() > 0; }

    void refresh() {
        forget_.run({}, true);
        keep_.run({}, true);
    }

    Rows figures() {
        const Rows refreshed = is_kept_.run({});
        if (refreshed.size() == 0) return computed_.run({});
        return kept_.run({timestamp_argument(timestamp_at(refreshed, 0, 1))});
    }

private:
    std::string name_;
    int columns_;
    Query forget_, keep_, is_due_, is_kept_, kept_, computed_;
};

std::span<Report> all_reports() {
    static Report reports[] = {Report("liability", 7),       Report("breakage", 8),
                               Report("tier_movements", 7),  Report("promotion_performance", 12),
                               Report("promo_code_use", 10), Report("partner_turnover", 10),
                               Report("daily_activity", 15)};
    return reports;
}

// A batch is the next report that is due, in the sequence above.
std::optional<std::int64_t> refresh_batch(JobRun& run, int) {
    bool is_next = run.after().part.empty();
    for (Report& report : all_reports()) {
        if (is_next && report.is_due()) {
            report.refresh();
            run.reach({"", "", report.name()});
            return 1;
        }
        is_next = is_next || report.name() == run.after().part;
    }
    return std::nullopt;
}

Report& find_report(const std::string& name) {
    for (Report& report : all_reports())
        if (report.name() == name) return report;
    throw Error(sqlstate::unknown_report, "there is no report \"" + name + "\" that adds up", {},
                "Name one whose figures a table loyalty.*_kept keeps.");
}

// A caller says what the columns are; figures of other types would be read as what they are not.
void require_columns(FunctionCallInfo call, const Rows& rows, int columns) {
    const auto* result = reinterpret_cast<ReturnSetInfo*>(call->resultinfo);
    const TupleDesc wanted = result ? result->expectedDesc : nullptr;
    bool fits = wanted && wanted->natts == columns;
    for (int column = 1; fits && column <= columns; column++) {
        const Oid asked = TupleDescAttr(wanted, column - 1)->atttypid, given = rows.type(column);
        fits = postgres([=] { return getBaseType(asked) == getBaseType(given); });
    }
    if (!fits) {
        throw Error("42804", "the columns asked for are not those of the report", {},
                    "Give those of the table that keeps it, and as_of timestamptz.");
    }
}

}  // namespace

extern const Job refresh_reports_job;
const Job refresh_reports_job = {"refresh_reports", "refreshed", "reports", "reports", refresh_batch};

}  // namespace loyalty::pg

extern "C" {

PG_FUNCTION_INFO_V1(loyalty_refresh_reports);
Datum loyalty_refresh_reports(PG_FUNCTION_ARGS) {
    using namespace loyalty::pg;
    return guarded([&]() -> Datum {
        static loyalty::pg::Query query("SELECT report, rows FROM loyalty.report_refreshes ORDER BY report", {});
        const AsOwner owner = AsOwner::writing();
        const Spi connection;
        // Keeps the job's runs out until the transaction ends.
        const JobRun run(refresh_reports_job);
        for (Report& report : all_reports()) report.refresh();
        return return_rows(fcinfo, query.run({}, true), 2);
    });
}

PG_FUNCTION_INFO_V1(loyalty_report_figures);
Datum loyalty_report_figures(PG_FUNCTION_ARGS) {
    using namespace loyalty::pg;
    return guarded([&]() -> Datum {
        const std::string name = Arguments(fcinfo).required(0, "report");
        const AsOwner owner = AsOwner::reading();
        const Spi connection;
        Report& report = find_report(name);
        const Rows figures = report.figures();
        require_columns(fcinfo, figures, report.columns());
        return return_rows(fcinfo, figures, report.columns());
    });
}
}
