"""A whole account as one document: declared, compared with what is there, applied in one transaction."""

from gatepost.operations.configuration.declaration import (
    Declaration,
    DeclaredAccount,
    DeclaredAudience,
    DeclaredAuthorization,
    DeclaredField,
    DeclaredJob,
    DeclaredMapping,
    DeclaredSchema,
    DeclaredStream,
    DeclaredTemplate,
    read_declaration,
)
from gatepost.operations.configuration.problems import ConfigurationInvalid, Problem
from gatepost.operations.configuration.report import Change, Report
from gatepost.operations.configuration.run import apply_configuration

__all__ = [
    "Change",
    "ConfigurationInvalid",
    "Declaration",
    "DeclaredAccount",
    "DeclaredAudience",
    "DeclaredAuthorization",
    "DeclaredField",
    "DeclaredJob",
    "DeclaredMapping",
    "DeclaredSchema",
    "DeclaredStream",
    "DeclaredTemplate",
    "Problem",
    "Report",
    "apply_configuration",
    "read_declaration",
]
