package export

import (
	"database/sql"
	"io"

	"github.com/parquet-go/parquet-go"
)

// parquetGroup is how many rows are held until they are written: what a file of any length takes of memory.
const parquetGroup = 50_000

// batch is how many rows are given to the writer at once.
const batch = 1000

// ordered is a group of columns in the order of the view; the library's own goes by name.
type ordered struct {
	parquet.Group
	fields []parquet.Field
}

func (o ordered) Fields() []parquet.Field { return o.fields }

func nodeOf(c Column) parquet.Node {
	switch c.Kind {
	case Integer:
		return parquet.Int(32)
	case Big:
		return parquet.Int(64)
	case Boolean:
		return parquet.Leaf(parquet.BooleanType)
	case Time:
		return parquet.Timestamp(parquet.Microsecond)
	default:
		return parquet.String()
	}
}

func schemaOf(v View) *parquet.Schema {
	group, byName := parquet.Group{}, map[string]parquet.Field{}
	for _, c := range v.Columns {
		group[c.Name] = parquet.Optional(nodeOf(c))
	}
	for _, f := range group.Fields() {
		byName[f.Name()] = f
	}
	o := ordered{Group: group}
	for _, c := range v.Columns {
		o.fields = append(o.fields, byName[c.Name])
	}
	return parquet.NewSchema(v.Name, o)
}

// parquetRows writes a Parquet file.
type parquetRows struct {
	out     *parquet.GenericWriter[any]
	columns []Column
	held    []parquet.Row
}

func newParquet(w io.Writer, v View) *parquetRows {
	return &parquetRows{out: parquet.NewGenericWriter[any](w, schemaOf(v), parquet.Compression(&parquet.Snappy), parquet.MaxRowsPerRowGroup(parquetGroup),
		parquet.KeyValueMetadata("says", v.Says)), columns: v.Columns}
}

func (p *parquetRows) write(cells []any) error {
	row := make(parquet.Row, len(cells))
	for i, cell := range cells {
		value := parquet.NullValue()
		switch x := cell.(type) {
		case *sql.NullInt64:
			switch {
			case x.Valid && p.columns[i].Kind == Integer:
				value = parquet.Int32Value(int32(x.Int64)) //nolint:gosec // the database's type is as wide
			case x.Valid:
				value = parquet.Int64Value(x.Int64)
			}
		case *sql.NullBool:
			if x.Valid {
				value = parquet.BooleanValue(x.Bool)
			}
		case *sql.NullTime:
			if x.Valid {
				value = parquet.Int64Value(x.Time.UnixMicro())
			}
		case *sql.NullString:
			if x.Valid {
				value = parquet.ByteArrayValue([]byte(x.String))
			}
		}
		level := 1
		if value.IsNull() {
			level = 0
		}
		row[i] = value.Level(0, level, i)
	}
	if p.held = append(p.held, row); len(p.held) < batch {
		return nil
	}
	return p.flush()
}

func (p *parquetRows) flush() error {
	_, err := p.out.WriteRows(p.held)
	p.held = p.held[:0]
	return err
}

func (p *parquetRows) close() error {
	if err := p.flush(); err != nil {
		return err
	}
	return p.out.Close()
}
