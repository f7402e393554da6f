"""The telephone to PowerOffice Go."""
