// Errors of the domain. Every one carries its own SQLSTATE of class LY, so that applications can tell them
// apart without reading the message; doc/reference.md lists them with cause and cure.
#pragma once

#include <exception>
#include <string>
#include <string_view>
#include <utility>

namespace loyalty {

namespace sqlstate {
// The schema and the library.
inline constexpr std::string_view schema_missing = "LY001";
inline constexpr std::string_view schema_version_mismatch = "LY002";
// What is stored is not what it can be: the server's own code for damaged data.
inline constexpr std::string_view data_corrupted = "XX001";
// The order document.
inline constexpr std::string_view malformed_json = "LY100";
inline constexpr std::string_view unknown_key = "LY101";
inline constexpr std::string_view wrong_type = "LY102";
inline constexpr std::string_view missing_key = "LY103";
inline constexpr std::string_view value_out_of_range = "LY104";
inline constexpr std::string_view too_many_decimals = "LY105";
inline constexpr std::string_view empty_order = "LY106";
inline constexpr std::string_view duplicate_key = "LY107";
inline constexpr std::string_view document_too_large = "LY108";
// What the order refers to.
inline constexpr std::string_view unknown_program = "LY201";
inline constexpr std::string_view inactive_program = "LY202";
inline constexpr std::string_view unknown_profile = "LY203";
inline constexpr std::string_view unknown_channel = "LY204";
inline constexpr std::string_view unknown_contact_point = "LY205";
inline constexpr std::string_view unknown_region = "LY206";
inline constexpr std::string_view unknown_currency = "LY207";
inline constexpr std::string_view unknown_point_type = "LY208";
inline constexpr std::string_view unknown_product = "LY209";
inline constexpr std::string_view unknown_status = "LY210";
inline constexpr std::string_view profiles_missing = "LY211";
// The promotion tree.
inline constexpr std::string_view invalid_benefit = "LY301";
inline constexpr std::string_view invalid_tree = "LY302";
inline constexpr std::string_view wrong_combination = "LY309";
inline constexpr std::string_view unknown_time_zone = "LY310";
inline constexpr std::string_view unknown_node = "LY319";
inline constexpr std::string_view unknown_version = "LY320";
inline constexpr std::string_view contradictory_test = "LY322";
inline constexpr std::string_view unknown_in_context = "LY323";
inline constexpr std::string_view empty_promotion = "LY327";
inline constexpr std::string_view no_price_history = "LY336";
// The calculation.
inline constexpr std::string_view amount_overflow = "LY401";
inline constexpr std::string_view calculation_too_large = "LY402";
// The ledger.
inline constexpr std::string_view value_not_finite = "LY501";
inline constexpr std::string_view value_zero = "LY502";
inline constexpr std::string_view value_sign = "LY503";
inline constexpr std::string_view value_scale = "LY504";
inline constexpr std::string_view points_overflow = "LY505";
inline constexpr std::string_view wrong_transaction_type = "LY506";
inline constexpr std::string_view not_a_member = "LY507";
inline constexpr std::string_view removed_member = "LY508";
inline constexpr std::string_view inactive_point_type = "LY509";
inline constexpr std::string_view insufficient_points = "LY510";
inline constexpr std::string_view moment_in_future = "LY511";
inline constexpr std::string_view wrong_dates = "LY512";
inline constexpr std::string_view external_id_taken = "LY513";
inline constexpr std::string_view unknown_transaction = "LY514";
inline constexpr std::string_view cannot_be_cancelled = "LY515";
inline constexpr std::string_view more_than_left = "LY516";
inline constexpr std::string_view refund_not_allowed = "LY517";
inline constexpr std::string_view hold_ended = "LY518";
inline constexpr std::string_view wrong_time_out = "LY519";
inline constexpr std::string_view partial_figures = "LY520";
inline constexpr std::string_view row_did_not_arrive = "LY521";
inline constexpr std::string_view append_only = "LY522";
inline constexpr std::string_view clock_refused = "LY523";
inline constexpr std::string_view job_is_running = "LY524";
inline constexpr std::string_view reserved_source = "LY525";
inline constexpr std::string_view missing_field = "LY526";
inline constexpr std::string_view initial_exists = "LY527";
inline constexpr std::string_view unknown_goal = "LY528";
inline constexpr std::string_view not_claimable = "LY529";
// Rights.
inline constexpr std::string_view called_within = "LY790";
inline constexpr std::string_view profiles_unreadable = "LY791";
// Orders.
inline constexpr std::string_view order_id_taken = "LY601";
inline constexpr std::string_view unexpected_total = "LY602";
inline constexpr std::string_view time_in_future = "LY603";
inline constexpr std::string_view unknown_order = "LY604";
inline constexpr std::string_view order_is_final = "LY605";
inline constexpr std::string_view unknown_order_line = "LY606";
inline constexpr std::string_view more_than_sold = "LY607";
inline constexpr std::string_view return_id_taken = "LY608";
inline constexpr std::string_view unusable_status = "LY609";
inline constexpr std::string_view orders_are_guarded = "LY610";
inline constexpr std::string_view empty_return = "LY611";
inline constexpr std::string_view cannot_be_repriced = "LY612";
// Promo codes.
inline constexpr std::string_view unknown_promo_code_pool = "LY630";
inline constexpr std::string_view unknown_promo_code = "LY631";
inline constexpr std::string_view pool_not_valid = "LY632";
inline constexpr std::string_view wrong_mask = "LY633";
inline constexpr std::string_view no_free_promo_code = "LY634";
inline constexpr std::string_view promo_code_of_another = "LY635";
inline constexpr std::string_view promo_code_used = "LY636";
inline constexpr std::string_view promo_code_used_up = "LY637";
inline constexpr std::string_view promo_code_expired = "LY638";
// Members.
inline constexpr std::string_view unknown_profile_field = "LY702";
inline constexpr std::string_view registration_in_future = "LY703";
inline constexpr std::string_view registration_unreadable = "LY704";
inline constexpr std::string_view unknown_profile_segment = "LY705";
inline constexpr std::string_view ambiguous_profile = "LY706";
// Tiers.
inline constexpr std::string_view unknown_tier = "LY745";
inline constexpr std::string_view deleted_meanwhile = "LY746";
inline constexpr std::string_view kept_up = "LY747";
// Trigger promotions, and triggers on the user's own tables.
inline constexpr std::string_view unknown_trigger_promotion = "LY720";
inline constexpr std::string_view promotion_not_in_force = "LY721";
inline constexpr std::string_view no_such_rule = "LY722";
inline constexpr std::string_view amount_outside_rule = "LY723";
inline constexpr std::string_view wrong_trigger = "LY724";
inline constexpr std::string_view promotion_used_up = "LY727";
inline constexpr std::string_view outside_audience = "LY728";
// Events.
inline constexpr std::string_view wrong_position = "LY760";
inline constexpr std::string_view unknown_worker = "LY761";
// Jobs.
inline constexpr std::string_view unknown_job = "LY771";
// Reports.
inline constexpr std::string_view unknown_report = "LY785";
}  // namespace sqlstate

class Error : public std::exception {
public:
    Error(std::string_view sqlstate, std::string message, std::string detail = {}, std::string hint = {})
        : sqlstate_(sqlstate), message_(std::move(message)), detail_(std::move(detail)), hint_(std::move(hint)) {}

    const std::string& sqlstate() const noexcept { return sqlstate_; }
    const std::string& message() const noexcept { return message_; }
    const std::string& detail() const noexcept { return detail_; }
    const std::string& hint() const noexcept { return hint_; }
    const char* what() const noexcept override { return message_.c_str(); }

private:
    std::string sqlstate_;
    std::string message_;
    std::string detail_;
    std::string hint_;
};

}  // namespace loyalty
