-- A page of reports without any server but the database: HTML with its styles and charts in it, and nothing from
-- elsewhere.

CREATE FUNCTION loyalty_internal.html(content text) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    RETURN coalesce(
        replace(
            replace(replace(replace(replace(content, '&', '&amp;'), '<', '&lt;'), '>', '&gt;'), '"', '&quot;'),
            '''',
            '&#39;'
        ),
        ''
    );

COMMENT ON FUNCTION loyalty_internal.html(text) IS
    'A text as it stands in HTML, so that it is text and nothing else; null becomes nothing. Example: SELECT '
    'loyalty_internal.html(''<b>'');';

CREATE FUNCTION loyalty_internal.html_number(number numeric, decimals integer) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    RETURN coalesce(
        replace(
            to_char(round(number, decimals), 'FM999,999,999,999,990' || rtrim('.' || repeat('0', decimals), '.')),
            ',',
            '&#8239;'
        ),
        ''
    );

COMMENT ON FUNCTION loyalty_internal.html_number(numeric, integer) IS
    'A number with that many decimals, its thousands apart, as it stands in HTML. Example: SELECT '
    'loyalty_internal.html_number(1234.5, 2);';

-- 640 by 220 units, as wide as the page: bars 20 units above the lower edge, below the largest value.
CREATE FUNCTION loyalty_internal.html_chart(title text, labels text[], "values" numeric[], unit text) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    AS $body$
SELECT format(
    '<figure><figcaption>%1$s</figcaption>%2$s</figure>',
    loyalty_internal.html(title),
    CASE
        WHEN coalesce(max(bar.value), 0) <= 0 THEN '<p class="none">Nothing yet.</p>'
        ELSE format(
            '<svg viewBox="0 0 640 220" role="img" aria-label="%s"><line x1="0" y1="200" x2="640" y2="200"/>'
            '<line class="grid" x1="0" y1="24" x2="640" y2="24"/><text x="0" y="18">%s %s</text>%s</svg>',
            loyalty_internal.html(title),
            loyalty_internal.html_number(max(bar.value), 0),
            loyalty_internal.html(unit),
            string_agg(
                format(
                    '<rect x="%s" y="%s" width="%s" height="%s"><title>%s: %s %s</title></rect>',
                    round((bar.place - 1) * 640.0 / bar.bars + 320.0 / bar.bars * 0.25, 2),
                    round(200 - 176 * greatest(bar.value, 0) / bar.largest, 2),
                    round(640.0 / bar.bars * 0.75, 2),
                    round(176 * greatest(bar.value, 0) / bar.largest, 2),
                    loyalty_internal.html(bar.label),
                    loyalty_internal.html_number(bar.value, 2),
                    loyalty_internal.html(unit)
                )
                -- No more labels than have room.
                || CASE
                    WHEN (bar.place - 1) % ceil(bar.bars / 8.0)::integer = 0 THEN format(
                        '<text x="%s" y="216" text-anchor="middle">%s</text>',
                        round((bar.place - 0.5) * 640.0 / bar.bars, 2),
                        loyalty_internal.html(bar.label)
                    )
                    ELSE ''
                END,
                '' ORDER BY bar.place
            )
        )
    END
)
FROM (
    SELECT
        pair.label,
        pair.value,
        pair.place,
        count(*) OVER () AS bars,
        nullif(max(pair.value) OVER (), 0) AS largest
    FROM unnest(labels, "values") WITH ORDINALITY AS pair (label, value, place)
) AS bar
$body$;

COMMENT ON FUNCTION loyalty_internal.html_chart(text, text[], numeric[], text) IS
    'A chart of bars as SVG in HTML. Example: SELECT loyalty_internal.html_chart(''Points'', ''{January}'', ''{5}'', '
    '''points'');';

CREATE FUNCTION loyalty_internal.html_tree(program text) RETURNS text
    LANGUAGE plpgsql STABLE PARALLEL RESTRICTED
    SET search_path = pg_catalog, pg_temp
    AS $body$
BEGIN
    RETURN (
        SELECT string_agg(
            format(
                '<tr class="%s"><td style="--depth:%s"><span class="name">%s</span> <span class="kind">%s</span></td>'
                '<td class="number" data-label="Orders">%s</td><td class="number" data-label="Discount">%s</td>'
                '<td class="number" data-label="Points">%s</td><td class="number" data-label="Revenue">%s</td></tr>',
                node.node,
                node.depth,
                loyalty_internal.html(
                    CASE WHEN node.depth = 0 AND node.node = 'group' THEN 'Main arbitration' ELSE node.name END
                ),
                loyalty_internal.html(concat_ws(', ', node.kind, node.status, node.limits, node.pending)),
                loyalty_internal.html_number(done.orders, 0),
                loyalty_internal.html_number(done.discount - done.discount_returned, 2),
                loyalty_internal.html_number(done.points_money, 2),
                loyalty_internal.html_number(done.revenue, 2)
            ),
            '' ORDER BY node.path
        )
        FROM loyalty.promotion_tree AS node
        LEFT JOIN loyalty.promotion_performance AS done
            ON done.program = node.program AND done.promotion = node.external_id AND node.node = 'promotion'
        WHERE node.program = html_tree.program
    );
END
$body$;

COMMENT ON FUNCTION loyalty_internal.html_tree(text) IS
    'The promotion tree as rows of an HTML table: orders, discount, points and revenue of each promotion. Example: '
    'SELECT loyalty_internal.html_tree(''main'');';

CREATE FUNCTION loyalty_internal.html_orders(program text, orders integer) RETURNS text
    LANGUAGE plpgsql STABLE PARALLEL RESTRICTED
    SET search_path = pg_catalog, pg_temp
    AS $body$
BEGIN
    RETURN (
        SELECT string_agg(
            format(
                '<details%s><summary><span class="name">%s</span> <span class="kind">%s</span> '
                '<span class="number">%s %s</span></summary><table>'
                '<tr><td>Before any benefit</td><td class="number">%s</td></tr>%s'
                '<tr class="sum"><td>To pay</td><td class="number">%s</td></tr>%s</table></details>',
                CASE WHEN made.place = 1 THEN ' open=""' ELSE '' END,
                loyalty_internal.html(made.external_id::text),
                loyalty_internal.html(
                    concat_ws(
                        ', ',
                        to_char(made."time", 'YYYY-MM-DD HH24:MI'),
                        coalesce(made.member, 'guest'),
                        made.status
                    )
                ),
                loyalty_internal.html_number(made.total, 2),
                loyalty_internal.html(made.currency),
                loyalty_internal.html_number(made.base, 2),
                (
                    SELECT string_agg(
                        format(
                            '<tr><td>%s%s</td><td class="number">%s</td></tr>',
                            loyalty_internal.html(effect.name),
                            CASE
                                WHEN effect.points > 0 THEN format(
                                    ' <span class="kind">+%s %s</span>',
                                    loyalty_internal.html_number(effect.points, 2),
                                    loyalty_internal.html(effect.point_type::text)
                                )
                                ELSE ''
                            END,
                            CASE
                                WHEN effect.discount + effect.points_discount <> 0
                                THEN loyalty_internal.html_number(- effect.discount - effect.points_discount, 2)
                                ELSE ''
                            END
                        ),
                        '' ORDER BY effect.number, effect.point_type
                    )
                    FROM loyalty.order_effects AS effect
                    WHERE effect.program = made.program
                        AND effect.order_id = made.external_id
                ),
                loyalty_internal.html_number(made.total, 2),
                CASE
                    WHEN made.refunded > 0 THEN format(
                        '<tr><td>Given back</td><td class="number">%s</td></tr>',
                        loyalty_internal.html_number(- made.refunded, 2)
                    )
                    ELSE ''
                END
            ),
            '' ORDER BY made.place
        )
        FROM (
            SELECT listed.*, row_number() OVER (ORDER BY listed."time" DESC, listed.external_id) AS place
            FROM loyalty.order_list AS listed
            WHERE listed.program = html_orders.program
            ORDER BY listed."time" DESC, listed.external_id
            LIMIT html_orders.orders
        ) AS made
    );
END
$body$;

COMMENT ON FUNCTION loyalty_internal.html_orders(text, integer) IS
    'The last orders of a program in HTML, each with what its promotions did. '
    'Example: SELECT loyalty_internal.html_orders(''main'', '
    '10);';

CREATE FUNCTION @extschema@.loyalty_report_page(program text, orders integer DEFAULT 10) RETURNS text
    LANGUAGE plpgsql STABLE PARALLEL RESTRICTED
    SET search_path = pg_catalog, pg_temp
    AS $body$
DECLARE
    style CONSTANT text := $css$
:root{--ink:#1c2733;--soft:#5b6b7b;--line:#d7dee5;--paper:#fff;--card:#f6f8fa;--bar:#2f7d6d}
@media (prefers-color-scheme:dark){
:root{--ink:#e6ebf0;--soft:#9aa8b5;--line:#33404c;--paper:#141a20;--card:#1c242c;--bar:#5cbfa9}
}
*{box-sizing:border-box}
body{margin:0 auto;max-width:70rem;padding:1rem;font:16px/1.45 system-ui,
sans-serif;color:var(--ink);background:var(--paper)}
h1{font-size:1.6rem;margin:.5rem 0 0}h2{font-size:1.15rem;margin:2rem 0 .5rem}
.kind,.none,figcaption,dt{color:var(--soft)}.kind{font-size:.85em}
dl,.charts{display:grid;gap:.75rem}
dl{grid-template-columns:repeat(auto-fit,minmax(9rem,1fr));margin:1rem 0}
dl div{background:var(--card);border-radius:.5rem;padding:.6rem .8rem}
dt{font-size:.85rem}dd{margin:0;font-size:1.35rem;font-variant-numeric:tabular-nums}
.charts{grid-template-columns:repeat(auto-fit,minmax(min(100%,20rem),1fr))}
figure{margin:0;background:var(--card);border-radius:.5rem;padding:.7rem}
figcaption{font-size:.9rem;margin-bottom:.3rem}
svg{display:block;width:100%;height:auto;overflow:visible}
rect{fill:var(--bar)}line{stroke:var(--soft)}.grid{stroke:var(--line);stroke-dasharray:3 4}
text{fill:var(--soft);font-size:15px}
.wide{overflow-x:auto}table{border-collapse:collapse;width:100%}
th,td{padding:.35rem .5rem;border-bottom:1px solid var(--line);text-align:left;vertical-align:top}
th{font-size:.8rem;color:var(--soft);font-weight:600}
.number{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}
td[style]{padding-left:calc(.5rem + var(--depth)*1.1rem)}tr.group .name,tr.sum{font-weight:600}
.name{overflow-wrap:anywhere}details{border-bottom:1px solid var(--line);padding:.35rem 0}
summary{display:flex;gap:.6rem;cursor:pointer}summary .number{margin-left:auto}
details table{margin:.3rem 0 .6rem;font-size:.92em}
@media (max-width:40rem){
body{padding:.6rem}summary{flex-wrap:wrap}
.wide thead{display:none}.wide tr{display:grid;grid-template-columns:repeat(2,1fr);border-bottom:1px solid var(--line)}
.wide td{border:0;padding:.2rem .4rem}.wide td:first-child{
    grid-column:1/-1;padding-left:calc(.4rem + var(--depth)*.8rem)}
.wide td[data-label]::before{content:attr(data-label) " ";color:var(--soft);font-size:.85em}.wide td:empty{display:none}
}
@media print{
body{max-width:none;font-size:11px}details,figure,
tr{break-inside:avoid}details::details-content{content-visibility:visible}
}
$css$;
    title text;
    today record;
    result text;
BEGIN
    SELECT node.name INTO title
    FROM loyalty.promotion_tree AS node
    WHERE node.program = loyalty_report_page.program
        AND node.depth = 0
        AND node.node = 'group';
    IF NOT FOUND THEN
        PERFORM loyalty_internal.refuse_program(program);
    END IF;

    SELECT activity.* INTO today
    FROM loyalty.daily_activity AS activity
    WHERE activity.program = loyalty_report_page.program
    ORDER BY activity.day DESC
    LIMIT 1;

    result := format(
        '<!doctype html><html lang="en"><head><meta charset="utf-8"/><meta name="viewport" '
        'content="width=device-width, '
        'initial-scale=1"/><title>%1$s</title><style>%2$s</style></head><body><h1>%1$s</h1><p class="kind">%3$s</p>',
        loyalty_internal.html('Loyalty program ' || program),
        style,
        loyalty_internal.html(
            coalesce('As of ' || to_char(today.as_of, 'YYYY-MM-DD HH24:MI TZ'), 'Nothing has happened yet.')
        )
    );

    result := result || (
        SELECT '<dl>' || string_agg(
            format(
                '<div><dt>%s</dt><dd>%s</dd></div>',
                loyalty_internal.html(figure.name),
                loyalty_internal.html_number(figure.value, 0)
            ),
            '' ORDER BY figure.place
        ) || '</dl>'
        FROM (
            SELECT 1 AS place, 'Members' AS name, coalesce(today.members, 0)::numeric AS value
            UNION ALL
            SELECT 2, 'Liability, ' || today.currency, today.liability
            WHERE today.currency IS NOT NULL
            UNION ALL
            SELECT past.place, past.name || today.currency, past.value
            FROM (
                SELECT sum(activity.revenue) AS revenue, sum(activity.discount) AS discount,
                    sum(activity.orders) AS orders
                FROM loyalty.daily_activity AS activity
                WHERE activity.program = loyalty_report_page.program
                    AND activity.day > today.day - 30
            ) AS month
            CROSS JOIN LATERAL (
                VALUES (3, 'Revenue of 30 days, ', month.revenue), (4, 'Discount of 30 days, ', month.discount)
            ) AS past (place, name, value)
            WHERE today.currency IS NOT NULL
        ) AS figure
    );

    result := result || '<h2>Charts</h2><div class="charts">' || (
        SELECT loyalty_internal.html_chart(
            'Liability at the end of each month'::text,
            array_agg(to_char(closing.day, 'YYYY-MM') ORDER BY closing.day),
            array_agg(closing.liability ORDER BY closing.day),
            coalesce(min(closing.currency), '')::text
        )
        FROM (
            SELECT DISTINCT ON (date_trunc('month', activity.day)) activity.day, activity.liability, activity.currency
            FROM loyalty.daily_activity AS activity
            WHERE activity.program = loyalty_report_page.program
                AND activity.day > today.day - 730
            ORDER BY date_trunc('month', activity.day), activity.day DESC
        ) AS closing
    ) || (
        SELECT loyalty_internal.html_chart(
            'What expires, by month'::text,
            array_agg(CASE WHEN isfinite(due.month) THEN to_char(due.month, 'YYYY-MM') ELSE 'never' END
                ORDER BY due.month),
            array_agg(due.money ORDER BY due.month),
            coalesce(min(due.currency), '')::text
        )
        FROM (
            SELECT liability.month, sum(liability.money) AS money, min(liability.currency) AS currency
            FROM loyalty.liability
            WHERE liability.program = loyalty_report_page.program
            GROUP BY liability.month
        ) AS due
    ) || (
        SELECT loyalty_internal.html_chart(
            'Revenue, by month'::text,
            array_agg(to_char(sold.month, 'YYYY-MM') ORDER BY sold.month),
            array_agg(sold.revenue ORDER BY sold.month),
            coalesce(min(sold.currency), '')::text
        )
        FROM (
            SELECT
                date_trunc('month', activity.day) AS month,
                sum(activity.revenue) AS revenue,
                min(activity.currency) AS currency
            FROM loyalty.daily_activity AS activity
            WHERE activity.program = loyalty_report_page.program
                AND activity.day > today.day - 730
            GROUP BY 1
        ) AS sold
    ) || coalesce(
        (
            SELECT string_agg(tiers.chart, '' ORDER BY tiers.tier_group)
            FROM (
                SELECT
                    rung.tier_group,
                    loyalty_internal.html_chart(
                        'Members by tier of ' || rung.tier_group::text,
                        array_agg(coalesce(rung.name, 'none') ORDER BY rung.position NULLS FIRST),
                        array_agg(rung.members::numeric ORDER BY rung.position NULLS FIRST),
                        'members'::text
                    ) AS chart
                FROM loyalty.tier_distribution AS rung
                WHERE rung.program = loyalty_report_page.program
                GROUP BY rung.tier_group
            ) AS tiers
        ),
        ''
    ) || '</div>';

    result := result || format(
        '<h2>Promotions</h2><div class="wide"><table><thead><tr><th>Promotion</th><th class="number">Orders</th>'
        '<th class="number">Discount</th><th class="number">Points</th><th '
        'class="number">Revenue</th></tr></thead><tbody>%s</tbody></table></div><p class="kind">Discounts and points '
        'in money, less what came back; revenue of the orders in which a promotion had an effect.</p>',
        loyalty_internal.html_tree(program)
    );
    RETURN result || format(
        '<h2>The last orders</h2>%s</body></html>',
        coalesce(loyalty_internal.html_orders(program, orders), '<p class="none">None yet.</p>')
    );
END
$body$;

COMMENT ON FUNCTION @extschema@.loyalty_report_page(text, integer) IS
    'A program at a glance, as one HTML page that needs nothing from elsewhere and has no script: members, liability, '
    'charts, the promotion tree with what each promotion cost and brought, and the last orders explained. Errors: '
    'LY201. Example: SELECT loyalty_report_page(''main'');';
