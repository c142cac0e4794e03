{# Fails for each combination of these columns that has several rows. Null is a value like others. #}
{% test one_row_for_each(model, columns) %}
select {{ columns | join(', ') }}, count(*) as rows_found
from {{ model }}
group by {{ columns | join(', ') }}
having count(*) > 1
{% endtest %}
