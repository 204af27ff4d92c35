// Why something had no effect.
#pragma once

namespace loyalty {

// Why a promotion or a benefit had no effect, in the sequence in which they are judged; the first one met is reported.
enum class Reason {
    none,
    draft,                 // the promotion was not activated yet
    inactive,              // it was deactivated
    ended,                 // it was ended for good
    paused,                // it was stopped until it is resumed
    not_in_audience,       // it is for members only
    not_in_segments,       // the buyer is in none of its segments
    in_excluded_segment,   // the buyer is in a segment that it is not for
    tier_not_held,         // the buyer holds none of its tiers
    only_guests,           // the buyer is a member, and it is for guests only
    other_order,           // it is for other orders
    order_too_small,       // the order's goods do not come to what it asks for
    not_started,           // the order's time is before its start
    out_of_date,           // the order's time is not before its end
    not_scheduled,         // it is not available at this time
    no_promo_code,         // no usable code of its pool was given
    other_channel,         // it is for other channels or contact points
    other_region,          // it is for other regions
    limit_reached,         // its uses are used up, in all orders or by the buyer
    no_conditions,         // it has none, so it applies to nothing
    no_matching_line,      // no line fulfils a condition
    order_does_not_match,  // the order fulfils none of its conditions
    lines_too_small,       // the lines of a condition do not come to what it asks for together
    not_a_member,          // only members earn and spend points
    point_type_inactive,   // the point type is not active, or past its deactivation
    points_not_requested,  // the order does not ask to redeem this point type
    no_points_left,        // the budget of points is used up
    below_redeem_min,      // fewer points could be spent than are spent at once
    taken,                 // an earlier promotion took the targets (incompatibility)
    not_chosen,            // another combination is worth more (max_benefit)
    below_first_step,      // there is less than the first of a benefit's steps asks for
    set_incomplete,        // there are not the units of one set
    reduced_before,        // its condition is for untouched units, and reductions have lowered all
    field_missing,         // the custom field is missing, negative or no number
    no_partner_terms,      // no matching line is a product of these partners with terms in force
    no_profile,            // only who has a profile is given a promo code
    nothing_earned,        // no points were earned before it that it could multiply
    nothing_to_reduce,     // prices are 0 or rounded to nothing
    cut_by_limit,          // a limit refused all of it
};

}  // namespace loyalty
