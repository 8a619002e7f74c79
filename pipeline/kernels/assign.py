"""Who belongs to whom, at least total cost."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pipeline.kernels.compiled import compiled


@compiled
def assign(cost: NDArray[np.float64], gate: float) -> NDArray[np.int64]:
    """Column of each row at the least total cost, where being alone costs ``gate``; −1 for none.

    Rows and columns that no cost below the gate joins are independent of each other, so each
    group of them is solved by itself: mostly one row and one column.

    Parameters
    ----------
    cost
        (n, m) float64, infinite where two cannot belong together.
    gate
        Pairs of this cost or more are none.
    """
    number, width = cost.shape
    column_of = np.full(number, -1, np.int64)
    row_known, column_known = np.zeros(number, np.bool_), np.zeros(width, np.bool_)
    rows, columns = np.empty(number, np.int64), np.empty(width, np.int64)
    for first in range(number):
        if row_known[first]:
            continue
        row_known[first] = True
        rows[0], n_rows, n_columns, done = first, 1, 0, 0
        while done < n_rows:
            row = rows[done]
            done += 1
            for column in range(width):
                if cost[row, column] < gate and not column_known[column]:
                    column_known[column] = True
                    columns[n_columns] = column
                    n_columns += 1
                    for other in range(number):
                        if cost[other, column] < gate and not row_known[other]:
                            row_known[other] = True
                            rows[n_rows] = other
                            n_rows += 1
        if n_rows == 1 and n_columns == 1:
            column_of[first] = columns[0]
        elif n_columns > 0:
            _assign_group(cost, gate, rows[:n_rows], columns[:n_columns], column_of)
    return column_of


@compiled
def _assign_group(
    cost: NDArray[np.float64],
    gate: float,
    rows: NDArray[np.int64],
    columns: NDArray[np.int64],
    column_of: NDArray[np.int64],
) -> None:
    turned = len(rows) > len(columns)
    short, long = (columns, rows) if turned else (rows, columns)
    part = np.empty((len(short), len(long)))
    for one in range(len(short)):
        for other in range(len(long)):
            value = cost[long[other], short[one]] if turned else cost[short[one], long[other]]
            part[one, other] = min(value, gate)
    found = least_total(part)
    for one in range(len(short)):
        if part[one, found[one]] < gate:
            if turned:
                column_of[long[found[one]]] = short[one]
            else:
                column_of[short[one]] = long[found[one]]


@compiled
def least_total(cost: NDArray[np.float64]) -> NDArray[np.int64]:  # noqa: C901  one loop in another
    """Column of each row so that the sum of costs is least (Kuhn 1955, Munkres 1957).

    By shortest augmenting paths over reduced costs (Jonker & Volgenant 1987).

    Parameters
    ----------
    cost
        (n, m) float64, finite, n ≤ m.
    """
    number, width = cost.shape
    row_price, column_price = np.zeros(number + 1), np.zeros(width + 1)
    # Column 0 and row 0 stand for none.
    row_of, before = np.zeros(width + 1, np.int64), np.zeros(width + 1, np.int64)
    for row in range(1, number + 1):
        row_of[0] = row
        here = 0
        least = np.full(width + 1, np.inf)
        used = np.zeros(width + 1, np.bool_)
        while row_of[here] != 0:
            used[here] = True
            from_row, step, nearest = row_of[here], np.inf, 0
            for column in range(1, width + 1):
                if used[column]:
                    continue
                reduced = cost[from_row - 1, column - 1] - row_price[from_row]
                reduced -= column_price[column]
                if reduced < least[column]:
                    least[column], before[column] = reduced, here
                if least[column] < step:
                    step, nearest = least[column], column
            for column in range(width + 1):
                if used[column]:
                    row_price[row_of[column]] += step
                    column_price[column] -= step
                else:
                    least[column] -= step
            here = nearest
        while here != 0:
            row_of[here] = row_of[before[here]]
            here = before[here]
    result = np.empty(number, np.int64)
    for column in range(1, width + 1):
        if row_of[column] > 0:
            result[row_of[column] - 1] = column - 1
    return result
