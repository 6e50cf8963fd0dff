//! Words of SQL that are no names unless they are quoted: of each engine those that it refuses as a column or a table,
//! of MariaDB and MySQL together. Backstay quotes every name that it writes; this is about what people write.

use sqlparser::ast::{AlterTableOperation as Operation, Ident, ObjectName, RenameTableNameKind, Statement};

const SQLITE: &str = "\
    add all alter and as autoincrement between case check collate commit constraint create default \
    deferrable delete distinct drop else escape except exists foreign from group having if in index \
    insert intersect into is isnull join limit not nothing notnull null on or order primary \
    references returning select set table then to transaction union unique update using values when \
    where";

const POSTGRES: &str = "\
    all analyse analyze and any array as asc asymmetric authorization binary both case cast check \
    collate collation column concurrently constraint create cross current_catalog current_date \
    current_role current_schema current_time current_timestamp current_user default deferrable desc \
    distinct do else end except false fetch for foreign freeze from full grant group having ilike in \
    initially inner intersect into is isnull join lateral leading left like limit localtime \
    localtimestamp natural not notnull null offset on only or order outer overlaps placing primary \
    references returning right select session_user similar some symmetric system_user table \
    tablesample then to trailing true union unique user using variadic verbose when where window \
    with";

const MYSQL: &str = "\
    accessible add all alter analyze and as asc asensitive before between bigint binary blob both by \
    call cascade case change char character check collate column condition constraint continue \
    convert create cross cube cume_dist current_date current_role current_time current_timestamp \
    current_user cursor databases day_hour day_microsecond day_minute day_second dec decimal declare \
    default delayed delete delete_domain_id dense_rank desc describe deterministic distinct \
    distinctrow div do_domain_ids double drop dual each else elseif empty enclosed escaped except \
    exists exit explain false fetch first_value float for force foreign from fulltext function \
    generated get grant group grouping groups having high_priority hour_microsecond hour_minute \
    hour_second if ignore ignore_domain_ids in index infile inner inout insensitive insert int \
    integer intersect interval into io_after_gtids io_before_gtids is iterate join json_table key \
    keys kill lag last_value lateral lead leading leave left like limit linear lines load localtime \
    localtimestamp lock long longblob longtext loop low_priority master_bind \
    master_demote_to_replica master_demote_to_slave master_ssl_verify_server_cert match maxvalue \
    mediumblob mediumint mediumtext middleint minute_microsecond minute_second mod modifies natural \
    no_write_to_binlog not nth_value ntile null numeric of offset on optimize optimizer_costs \
    optionally or order out outer outfile over page_checksum parse_vcol_expr partition percent_rank \
    portion precision primary procedure purge range rank read read_write reads real recursive \
    ref_system_id references regexp release rename repeat replace require resignal restrict return \
    returning revoke right rlike row row_number rows schemas second_microsecond select sensitive \
    separator set show signal smallint spatial specific sql sql_big_result sql_calc_found_rows \
    sql_small_result sqlexception sqlstate sqlwarning ssl starting stats_auto_recalc \
    stats_persistent stats_sample_pages stored straight_join system table terminated then tinyblob \
    tinyint tinytext to trailing trigger true undo union unique unlock unsigned update usage use \
    using utc_date utc_time utc_timestamp values varbinary varchar varcharacter varying virtual when \
    where while window with write xor year_month zerofill";

/// The names that a statement gives and that its engine takes for something else.
pub(super) fn bare_words(engine: &str, statement: &Statement) -> Vec<String> {
    let reserved = match engine {
        "postgres" => POSTGRES,
        "mysql" => MYSQL,
        _ => SQLITE,
    };
    let is_word = |name: &&Ident| {
        let word = name.value.to_ascii_lowercase();
        name.quote_style.is_none() && reserved.split_ascii_whitespace().any(|own| own == word)
    };
    let names = given(statement).into_iter().filter(is_word);
    names.map(|name| name.value.clone()).collect()
}

fn given(statement: &Statement) -> Vec<&Ident> {
    match statement {
        Statement::CreateTable(create) => {
            own(&create.name).into_iter().chain(create.columns.iter().map(|column| &column.name)).collect()
        }
        Statement::AlterTable(alter) => alter.operations.iter().filter_map(added).collect(),
        // no other statement gives names to what rows are in
        _ => Vec::new(),
    }
}

fn added(operation: &Operation) -> Option<&Ident> {
    match operation {
        Operation::AddColumn { column_def, .. } => Some(&column_def.name),
        Operation::RenameColumn { new_column_name, .. } => Some(new_column_name),
        Operation::ChangeColumn { new_name, .. } => Some(new_name),
        Operation::RenameTable { table_name: RenameTableNameKind::As(to) | RenameTableNameKind::To(to) } => {
            own(to)
        }
        // nothing gets a name
        _ => None,
    }
}

fn own(name: &ObjectName) -> Option<&Ident> {
    name.0.last().and_then(|part| part.as_ident())
}
