"""What goes in and out of `/api/v1/tables`, for the documentation and for what is checked."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from projects.jobs.http import schemas as common
from projects.jobs.http.filters import MOST_ITEMS

Moment = common.Moment
_Words = Annotated[str | None, Field(max_length=4000)]
_Short = Annotated[str | None, Field(max_length=300)]
TypeName = Literal["integer", "real", "boolean", "text", "date-time", "json"]

WHERE = 'which rows: `latency > 5 and tool = "my tool"`; see the reference'


class _Query(BaseModel):
    where: _Words = Field(None, description=WHERE)


class UploadQuery(BaseModel):
    """Where the rows come from."""

    job: _Short = Field(None, description="id of the job that measured them")
    artifact: _Short = Field(None, description="id of the artifact that they are from")
    satellite: _Short = Field(None, description="nickname of the satellite")
    groups: _Words = Field(
        None, description="groups that a new table belongs to as well; commas between"
    )


class ListQuery(BaseModel):
    """Which part of the list of tables."""

    limit: int = Field(100, ge=1, le=MOST_ITEMS, description="items of a page")
    cursor: _Short = Field(None, description="what `next` of the page before was")


class RowsQuery(_Query):
    """Which rows, in which order, and which part of them."""

    sort: _Short = Field(None, description="a column; `-column`: descending; `-@row` by default")
    limit: int = Field(100, ge=1, le=MOST_ITEMS, description="rows of a page")
    cursor: _Words = Field(None, description="what `next` of the page before was")
    count: bool = Field(False, description="say how many rows fit")


class DownloadQuery(_Query):
    """Which rows."""


class GroupsQuery(_Query):
    """By what rows are grouped, and what is computed."""

    by: str = Field(description="columns; commas between", min_length=1, max_length=2000)
    column: _Short = Field(None, description="numeric column of which figures are wanted")


class VerdictQuery(_Query):
    """What is judged."""

    column: str = Field(description="a numeric column", min_length=1, max_length=300)
    group: _Short = Field(None, description="a series for each value of this column")
    time: _Short = Field(
        None, description="date-time column; by default the only one, else the time of upload"
    )


class PlotQuery(VerdictQuery):
    """What is drawn."""

    theme: Literal["auto", "light", "dark"] = Field("auto", description="auto: as the system is")


class ColumnChange(BaseModel):
    """What people say of a column."""

    model_config = ConfigDict(extra="forbid", strict=True)

    unit: str | None = Field(None, max_length=40)
    better: Literal["lower", "higher"] | None = None


class TableChange(BaseModel):
    """What is to be changed; what is left out stays."""

    model_config = ConfigDict(extra="forbid", strict=True)

    owner: str | None = Field(None, min_length=1, max_length=100, pattern=r"^[^\x00-\x1f]+$")
    groups: list[Annotated[str, Field(min_length=1, max_length=100)]] | None = Field(
        None, max_length=100
    )
    columns: dict[str, ColumnChange] | None = Field(None, max_length=500)


class NewAcknowledgement(BaseModel):
    """A change that is accepted for a while."""

    model_config = ConfigDict(extra="forbid", strict=True)

    column: str = Field(min_length=1, max_length=200)
    since: Moment = Field(description="when the change came", max_length=40)
    reason: str = Field(min_length=1, max_length=1000, pattern=r"\S")
    expires: str = Field(description="the last day, YYYY-MM-DD", pattern=r"^\d{4}-\d\d-\d\d$")
    labels: dict[str, Annotated[str, Field(max_length=200)]] = Field(
        default_factory=dict, max_length=10, description="the series: its group and value"
    )


class Acknowledgement(NewAcknowledgement):
    """A change that somebody accepted."""

    number: int
    by: str
    at: Moment


class AcknowledgementList(BaseModel):
    """All of a table's."""

    items: list[Acknowledgement]


class ColumnInfo(BaseModel):
    """A column."""

    name: str
    type: TypeName
    unit: str
    better: Literal["lower", "higher"] | None


class Table(BaseModel):
    """A result table."""

    test_system: str
    test_name: str
    owner: str
    groups: list[str]
    created: Moment
    updated: Moment
    version: int
    rows: int
    errors: int = Field(description="rows with a value beside them that doesn't fit its column")
    columns: list[ColumnInfo]


class TablePage(BaseModel):
    """Some tables."""

    items: list[Table]
    next: str | None


class TableName(BaseModel):
    """Both names of a table."""

    test_system: str
    test_name: str


class Uploaded(BaseModel):
    """What became of an upload."""

    table: TableName
    rows: int
    first: int = Field(description="number of the first row")
    last: int
    errors: int = Field(description="rows of which a value doesn't fit its column")
    added: list[str] = Field(description="new columns")
    widened: list[str] = Field(description="columns of integers that hold reals now")
    at: Moment
    version: int


class Misfit(BaseModel):
    """A value that doesn't fit its column, as it came."""

    value: Any
    error: str


class Row(BaseModel):
    """A row."""

    row: int
    at: Moment
    by: str
    satellite: str | None
    job: str | None
    artifact: str | None
    links: dict[str, str]
    values: dict[str, Any]
    errors: dict[str, Misfit]


class RowPage(BaseModel):
    """Some rows."""

    items: list[Row]
    next: str | None
    total: int = Field(description="rows of the table")
    matching: int | None = Field(description="rows that fit, if `count` was asked for")
    columns: list[ColumnInfo]


class Group(BaseModel):
    """Rows with the same key; figures are of those that have a value."""

    key: dict[str, Any]
    count: int
    values: int
    min: float | None
    median: float | None
    mean: float | None
    max: float | None


class GroupList(BaseModel):
    """All groups, by key."""

    items: list[Group]
    complete: bool = Field(description="whether these are all: at most 1000 are listed")


class Change(BaseModel):
    """A change of level."""

    row: int
    at: Moment
    before: float
    after: float


class LastValue(BaseModel):
    """The newest value of a series."""

    row: int
    at: Moment
    value: float


class SeriesVerdict(BaseModel):
    """The verdict on one series."""

    labels: dict[str, str]
    status: Literal[
        "ok",
        "regression",
        "improvement",
        "changed",
        "no history",
        "not comparable",
        "invalid",
        "acknowledged",
    ]
    sentence: str
    points: int
    last: LastValue
    baseline: float | None
    noise_floor: float | None
    changes: list[Change]


class Verdict(BaseModel):
    """The verdict on a column."""

    column: str
    time: str
    series: list[SeriesVerdict]
    remarks: list[str]
